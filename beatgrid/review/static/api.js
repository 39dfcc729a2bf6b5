// Requests to the server. The token travels in a cookie that no script reads.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function answer(response) {
  if (response.ok) return response;
  let message = `${response.status} ${response.statusText}`;
  try {
    message = (await response.json()).error ?? message;
  } catch {
    // Not one of the server's own errors: its status says what there is to say.
  }
  throw new ApiError(response.status, message);
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ApiError(0, "The server does not answer: is beatgrid review still running?");
  }
  return answer(response);
}

export async function getJson(path) {
  return (await request(path)).json();
}

export async function getBytes(path, signal) {
  return (await request(path, { signal })).arrayBuffer();
}

// Bytes from `first` up to and with `last`, and the length of the whole.
export async function getRange(path, first, last) {
  const response = await request(path, { headers: { Range: `bytes=${first}-${last}` } });
  const range = response.headers.get("Content-Range");
  return { data: await response.arrayBuffer(), size: Number(range.split("/")[1]) };
}

export async function post(path, body) {
  const response = await request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  return response.status === 204 ? null : response.json();
}
