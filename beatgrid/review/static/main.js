// The page: list or track by the address, keys and buttons to their actions.

import { ACTIONS, keyName, keyOf } from "./actions.js";
import { List } from "./list.js";
import { show } from "./say.js";
import { TrackView } from "./track.js";

const KEYS_ON = "beatgrid-review-keys";

// The token is in a cookie by now: it should not stay in the address and the history.
if (location.search) history.replaceState(null, "", location.pathname + location.hash);

const byId = (id) => document.getElementById(id);
const help = byId("help");
const list = new List((id) => (location.hash = id));
const track = new TrackView(list, () => (location.hash = ""), () => help.showModal());
const actionOfKey = new Map(ACTIONS.flatMap((action) => action.keys.map((key) => [key, action])));
const actionOfId = new Map(ACTIONS.map((action) => [action.id, action]));

let lastTrack = "";

async function route() {
  const id = location.hash.slice(1);
  const isTrack = id !== "";
  byId("list").hidden = isTrack;
  byId("track").hidden = !isTrack;
  if (isTrack) {
    byId("stage").focus({ preventScroll: true });
    window.scrollTo(0, 0);
    await track.open(id);
    document.title = `${track.track?.name ?? "track"} – beatgrid review`;
  } else {
    const last = lastTrack;
    track.close();
    document.title = "beatgrid review";
    try {
      await list.load(true);
    } catch (error) {
      show(error.message, true);
    }
    list.arrange();
    if (last) list.select(last);
    list.focus();
  }
  lastTrack = id;
}

function onKey(event) {
  if (help.open || byId("track").hidden) {
    if (keyOf(event) === "?" && !event.target.matches("input, select") && keysOn()) help.showModal();
    return;
  }
  const key = keyOf(event);
  const action = actionOfKey.get(key);
  if (!action) return;
  const { target } = event;
  if (target.matches("input, select, textarea") && key !== "Escape") {
    // Sliders and fields have keys of their own.
    return;
  }
  if (target.matches("button, summary, a") && (key === "Space" || key === "Enter")) return;
  // One key alone may be pressed by mistake, or by speech input: that can be switched off.
  if (key.length === 1 && !keysOn()) return;
  if (event.repeat && !["nudge-1", "nudge+1", "nudge-10", "nudge+10", "zoom-in", "zoom-out"].includes(action.id)
    && action.group !== "Cursor" && !["undo", "redo"].includes(action.id)) return;
  event.preventDefault();
  if (!action.disabled?.(track)) action.run(track);
}

function keysOn() {
  return byId("keys-on").checked;
}

function makeHelp() {
  const groups = new Map();
  for (const action of ACTIONS) {
    if (!groups.has(action.group)) {
      const box = document.createElement("section");
      const title = document.createElement("h3");
      title.textContent = action.group;
      const keys = document.createElement("dl");
      box.append(title, keys);
      byId("help-keys").append(box);
      groups.set(action.group, keys);
    }
    if (action.alternative > 1) continue;
    const term = document.createElement("dt");
    for (const key of action.alternative ? ["1 … 9"] : action.keys) {
      const shown = document.createElement("kbd");
      shown.textContent = action.alternative ? key : keyName(key);
      term.append(shown, " ");
    }
    const meaning = document.createElement("dd");
    meaning.textContent = action.alternative ? "Alternative 1 to 9" : action.label;
    groups.get(action.group).append(term, meaning);
  }
}

document.addEventListener("keydown", onKey);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (button) actionOfId.get(button.dataset.action).run(track);
});
byId("help-close").addEventListener("click", () => help.close());
byId("keys-on").checked = localStorage.getItem(KEYS_ON) !== "off";
byId("keys-on").addEventListener("change", () => localStorage.setItem(KEYS_ON, keysOn() ? "on" : "off"));
window.addEventListener("hashchange", route);
makeHelp();
list.load().then(route, (error) => show(error.message, true));

// For tests and measurements.
window.beatgridReview = { list, track };
