// Messages: to screen readers, and for everybody to see.

const status = document.getElementById("status");
const toast = document.getElementById("toast");
let hiding = 0;

export function announce(text) {
  status.textContent = text;
}

export function show(text, isError = false) {
  announce(text);
  toast.textContent = text;
  toast.classList.toggle("error", isError);
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (toast.hidden = true), isError ? 8000 : 3000);
}

export function clock(seconds) {
  const sign = seconds < 0 ? "-" : "";
  const ms = Math.round(Math.abs(seconds) * 1000);
  const whole = Math.floor(ms / 1000);
  const minutes = Math.floor(whole / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return `${sign}${minutes}:${rest}.${String(ms % 1000).padStart(3, "0")}`;
}
