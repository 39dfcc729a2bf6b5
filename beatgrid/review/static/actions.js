// All that can be done to a track, by key and by button: one table for both, and for the help.
//
// `keys` are values of KeyboardEvent.key with their modifiers; `run` gets the track view.

export const ACTIONS = [
  { group: "Play", id: "play", label: "Play or pause", short: "Play", keys: ["Space"], run: (t) => t.togglePlay() },
  { group: "Play", id: "play-bar", label: "Play from this bar", short: "From bar", keys: ["Enter"], run: (t) => t.playFromBar() },
  { group: "Play", id: "loop", label: "Loop this bar, on or off", short: "Loop bar", keys: ["l"], toggle: (t) => t.loop !== null, run: (t) => t.toggleLoop() },
  { group: "Play", id: "metronome", label: "Metronome only, on or off", short: "Only clicks", keys: ["m"], toggle: (t) => t.transport.metronomeOnly, run: (t) => t.toggleMetronome() },
  { group: "Play", id: "clicks", label: "Clicks, on or off", short: "Clicks", keys: ["c"], toggle: (t) => t.transport.clicksOn, run: (t) => t.toggleClicks() },

  { group: "Move the beats", id: "nudge-1", label: "1 ms earlier", short: "−1 ms", keys: ["ArrowLeft"], run: (t) => t.edit({ op: "nudge", ms: -1 }) },
  { group: "Move the beats", id: "nudge+1", label: "1 ms later", short: "+1 ms", keys: ["ArrowRight"], run: (t) => t.edit({ op: "nudge", ms: 1 }) },
  { group: "Move the beats", id: "nudge-10", label: "10 ms earlier", short: "−10 ms", keys: ["Shift+ArrowLeft"], run: (t) => t.edit({ op: "nudge", ms: -10 }) },
  { group: "Move the beats", id: "nudge+10", label: "10 ms later", short: "+10 ms", keys: ["Shift+ArrowRight"], run: (t) => t.edit({ op: "nudge", ms: 10 }) },
  { group: "Move the beats", id: "half", label: "Half a beat later", short: "½ beat", keys: ["h"], run: (t) => t.edit({ op: "shift", beats: 0.5 }) },
  { group: "Move the beats", id: "half-back", label: "Half a beat earlier", short: "−½ beat", keys: ["Shift+H"], run: (t) => t.edit({ op: "shift", beats: -0.5 }) },
  { group: "Move the beats", id: "beat", label: "Bars a beat later", short: "+1 beat", keys: ["b"], run: (t) => t.edit({ op: "shift", beats: 1 }) },
  { group: "Move the beats", id: "beat-back", label: "Bars a beat earlier", short: "−1 beat", keys: ["Shift+B"], run: (t) => t.edit({ op: "shift", beats: -1 }) },
  { group: "Move the beats", id: "one", label: "This beat is one", short: "This is one", keys: ["o"], run: (t) => t.edit({ op: "one" }) },
  { group: "Move the beats", id: "snap", label: "Snap: search again, near this grid", short: "Snap", keys: ["s"], run: (t) => t.edit({ op: "snap" }) },

  { group: "Tempo", id: "double", label: "Double tempo", short: "×2", keys: ["d"], run: (t) => t.edit({ op: "scale", ratio: 2 }) },
  { group: "Tempo", id: "halve", label: "Half tempo", short: "÷2", keys: ["Shift+D"], run: (t) => t.edit({ op: "scale", ratio: 0.5 }) },
  { group: "Tempo", id: "three-halves", label: "Tempo times 3/2", short: "×3/2", keys: ["e"], run: (t) => t.edit({ op: "scale", ratio: 1.5 }) },
  { group: "Tempo", id: "two-thirds", label: "Tempo times 2/3", short: "×2/3", keys: ["Shift+E"], run: (t) => t.edit({ op: "scale", ratio: 2 / 3 }) },
  { group: "Tempo", id: "tap", label: "Tap the tempo", short: "Tap", keys: ["t"], run: (t) => t.tap() },
  { group: "Tempo", id: "fit", label: "A beat is here: press at two places", short: "Beat is here", keys: ["i"], toggle: (t) => t.mark_s !== null, run: (t) => t.fit() },
  { group: "Tempo", id: "bpm", label: "Type a BPM", keys: ["g"], field: "bpm", run: (t) => t.focusField("bpm") },
  { group: "Tempo", id: "beats-per-bar", label: "Beats of a bar", keys: ["r"], field: "beats-per-bar", run: (t) => t.focusField("beats-per-bar") },

  { group: "Segments", id: "split", label: "Split here", short: "Split", keys: ["x"], run: (t) => t.edit({ op: "split" }) },
  { group: "Segments", id: "merge", label: "Merge with the next segment", short: "Merge", keys: ["j"], run: (t) => t.edit({ op: "merge" }) },

  { group: "Cursor", id: "bar-back", label: "To the bar before", short: "◀ bar", keys: ["ArrowUp"], run: (t) => t.stepBeat(-1, true) },
  { group: "Cursor", id: "bar-on", label: "To the next bar", short: "bar ▶", keys: ["ArrowDown"], run: (t) => t.stepBeat(1, true) },
  { group: "Cursor", id: "cursor-beat-back", label: "To the beat before", short: "◀ beat", keys: ["Shift+ArrowUp"], run: (t) => t.stepBeat(-1, false) },
  { group: "Cursor", id: "cursor-beat-on", label: "To the next beat", short: "beat ▶", keys: ["Shift+ArrowDown"], run: (t) => t.stepBeat(1, false) },
  { group: "Cursor", id: "cursor-back", label: "Cursor 5 ms earlier", short: "−5 ms", keys: ["Control+ArrowLeft"], run: (t) => t.moveCursor(t.cursor_s - 0.005) },
  { group: "Cursor", id: "cursor-on", label: "Cursor 5 ms later", short: "+5 ms", keys: ["Control+ArrowRight"], run: (t) => t.moveCursor(t.cursor_s + 0.005) },
  { group: "Cursor", id: "start", label: "To the start", short: "Start", keys: ["Home"], run: (t) => t.moveCursor(0) },
  { group: "Cursor", id: "end", label: "To the end", short: "End", keys: ["End"], run: (t) => t.moveCursor(t.lastPlace_s) },

  { group: "View", id: "zoom-in", label: "Zoom in", short: "Zoom in", keys: ["+", "="], run: (t) => t.zoom(0.5) },
  { group: "View", id: "zoom-out", label: "Zoom out", short: "Zoom out", keys: ["-"], run: (t) => t.zoom(2) },
  { group: "View", id: "zoom-all", label: "Whole track", short: "Whole", keys: ["f"], run: (t) => t.showSpan(Infinity) },
  { group: "View", id: "zoom-bars", label: "Four bars", short: "4 bars", keys: ["z"], run: (t) => t.showBars(4) },
  { group: "View", id: "page-back", label: "A screen back", keys: ["PageUp"], run: (t) => t.scroll(-0.8) },
  { group: "View", id: "page-on", label: "A screen on", keys: ["PageDown"], run: (t) => t.scroll(0.8) },

  { group: "Review", id: "accept-next", label: "Accept and next", short: "Accept, next", keys: ["a"], primary: true, run: (t) => t.acceptAndNext() },
  { group: "Review", id: "accept", label: "Accept and stay", short: "Accept", keys: ["Shift+A"], run: (t) => t.accept() },
  { group: "Review", id: "undo", label: "Undo", short: "Undo", keys: ["u", "Control+z"], disabled: (t) => !t.track?.can_undo, run: (t) => t.edit({ op: "undo" }) },
  { group: "Review", id: "redo", label: "Redo", short: "Redo", keys: ["Shift+U", "Control+Shift+Z", "Control+y"], disabled: (t) => !t.track?.can_redo, run: (t) => t.edit({ op: "redo" }) },
  { group: "Review", id: "withdraw", label: "Take the acceptance back", short: "Take back", keys: ["v"], disabled: (t) => !t.track?.can_withdraw, run: (t) => t.withdraw() },
  { group: "Review", id: "previous", label: "Track before", short: "◀ Track", keys: ["p"], run: (t) => t.go(-1) },
  { group: "Review", id: "next", label: "Next track, nothing accepted", short: "Track ▶", keys: ["n"], run: (t) => t.go(1) },
  { group: "Review", id: "list", label: "Back to the list", keys: ["Escape"], run: (t) => t.leave() },
  { group: "Review", id: "help", label: "This help", short: "Help", keys: ["?"], run: (t) => t.help() },
];

// 0 is what the search found, 1 to 9 its alternatives.
for (let number = 0; number <= 9; number += 1) {
  ACTIONS.push({
    group: "Alternatives",
    id: `alternative-${number}`,
    label: number ? `Alternative ${number}` : "As found",
    keys: [String(number)],
    alternative: number,
    run: (t) => t.edit({ op: "alternative", number }),
  });
}

const KEY_NAMES = {
  ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓",
  Control: "Ctrl", PageUp: "Page ↑", PageDown: "Page ↓", Escape: "Esc",
};

// The name of a key event in the table's terms.
export function keyOf(event) {
  if (event.altKey) return "";
  const key = event.key === " " ? "Space" : event.key;
  const isSign = key.length === 1 && !/\p{L}/u.test(key);
  const control = event.ctrlKey || event.metaKey ? "Control+" : "";
  // Signs are what they are, by whatever keys of a keyboard they come about.
  const shift = event.shiftKey && !isSign ? "Shift+" : "";
  const letter = key.length === 1 && !isSign;
  return control + shift + (letter ? (event.shiftKey ? key.toUpperCase() : key.toLowerCase()) : key);
}

// How a key is written; short where it stands on a button.
export function keyName(key, short = false) {
  if (key === "+") return key;
  if (short) return keyName(key).replace(/Shift /g, "⇧").replace(/Ctrl /g, "Ctrl");
  return key
    .split("+")
    .map((part) => KEY_NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part))
    .join(" ");
}
