// The list of tracks: only the rows in sight are elements, whatever their number.

import { getJson, post } from "./api.js";
import { announce, show } from "./say.js";

const CHECKED = new Set(["accepted", "corrected", "locked"]);
const MARGIN_ROWS = 6;
const POLL_MS = 1500;

export class List {
  // `open` is called with the id of a chosen track.
  constructor(open) {
    this.open = open;
    this.rows = [];
    this.shown = [];
    this.version = -1;
    this.active = 0;
    this.sort = { key: "confidence", descending: false };
    this.pool = [];
    this.element = document.getElementById("rows");
    this.spacer = document.getElementById("spacer");
    this.search = document.getElementById("search");
    this.filter = document.getElementById("shown");
    this.element.addEventListener("scroll", () => this.requestDraw(), { passive: true });
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.element.addEventListener("click", (event) => this.onClick(event));
    this.search.addEventListener("input", () => this.arrange());
    this.filter.addEventListener("change", () => this.arrange());
    for (const button of document.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => this.sortBy(button.dataset.sort));
    }
    document.getElementById("next-open").addEventListener("click", () => {
      const next = this.shown.find((row) => this.isOpen(row));
      if (next) this.open(next.id);
      else show("All tracks shown are checked.");
    });
    document.getElementById("find").addEventListener("click", () => this.find(true));
    document.getElementById("find-stop").addEventListener("click", () => this.find(false));
    new ResizeObserver(() => this.requestDraw()).observe(this.element);
  }

  async load(refresh = false) {
    this.take(await getJson(refresh ? "/api/tracks?refresh=1" : "/api/tracks"));
    this.showRun(await getJson("/api/run"));
  }

  take({ version, columns, rows }) {
    if (version === this.version) return;
    this.version = version;
    this.rows = rows.map((values) => {
      const row = Object.fromEntries(columns.map((column, i) => [column, values[i]]));
      row.text = `${row.folder}/${row.name}`.normalize("NFC").toLowerCase();
      return row;
    });
    this.arrange();
  }

  isOpen(row) {
    return !CHECKED.has(row.state) && row.tempo !== "failed";
  }

  // The next track in the order shown that is to be checked, after a given one; null if there is none.
  nextAfter(id, step = 1, onlyOpen = true) {
    const n = this.shown.length;
    const at = this.shown.findIndex((row) => row.id === id);
    for (let i = 1; i <= n; i += 1) {
      const row = this.shown[(((at + step * i) % n) + n) % n];
      if (row.id !== id && row.tempo !== "failed" && (!onlyOpen || this.isOpen(row))) return row.id;
    }
    return null;
  }

  // Take over what a reviewed track says of itself; the order stays until the list is shown again.
  note(track) {
    const row = this.rows.find(({ id }) => id === track.id);
    if (!row) return;
    row.state = track.state;
    row.draft = track.draft;
    if (track.state === "corrected" && track.stretches.length) {
      row.bpm = track.stretches[0].bpm_display;
      row.tempo = track.stretches.length > 1 ? "varies" : "steady";
      row.confidence = track.confidence;
    }
    this.showProgress();
    this.requestDraw();
  }

  sortBy(key) {
    const same = this.sort.key === key;
    this.sort = { key, descending: same && !this.sort.descending };
    this.arrange();
    announce(`sorted by ${key}, ${this.sort.descending ? "descending" : "ascending"}`);
  }

  arrange() {
    const words = this.search.value.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = this.filter.value;
    const keep = (row) =>
      words.every((word) => row.text.includes(word)) &&
      (wanted === "" ||
        (wanted === "open" && this.isOpen(row)) ||
        (wanted === "draft" && row.draft) ||
        row.state === wanted);
    const { key, descending } = this.sort;
    const numeric = key === "bpm" || key === "confidence";
    const value = numeric
      ? (row) => (row[key] === null ? -1 : Number(row[key]))
      : (row) => (key === "name" ? row.text : row[key]);
    const chosen = this.rows.filter(keep).map((row) => [value(row), row]);
    const sign = descending ? -1 : 1;
    chosen.sort(([a, one], [b, two]) => {
      if (a !== b) return a < b ? -sign : sign;
      return one.text < two.text ? -1 : Number(one.text > two.text);
    });
    const current = this.shown[this.active]?.id;
    this.shown = chosen.map(([, row]) => row);
    this.active = Math.max(0, this.shown.findIndex(({ id }) => id === current));
    for (const header of document.querySelectorAll("[role=columnheader]")) {
      const own = header.firstElementChild.dataset.sort === key;
      header.setAttribute("aria-sort", own ? (descending ? "descending" : "ascending") : "none");
    }
    document.getElementById("table").setAttribute("aria-rowcount", this.shown.length + 1);
    const n = this.shown.length;
    const all = this.rows.length;
    document.getElementById("count").textContent =
      n === all ? `${n.toLocaleString("en")} tracks` : `${n.toLocaleString("en")} of ${all.toLocaleString("en")}`;
    this.showProgress();
    this.requestDraw();
  }

  showProgress() {
    const checked = this.rows.reduce((n, row) => n + CHECKED.has(row.state), 0);
    const bar = document.getElementById("progress");
    bar.max = Math.max(this.rows.length, 1);
    bar.value = checked;
    document.getElementById("progress-text").textContent =
      `${checked.toLocaleString("en")} of ${this.rows.length.toLocaleString("en")} checked`;
  }

  requestDraw() {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.draw();
    });
  }

  get rowHeight() {
    return parseFloat(getComputedStyle(this.element).getPropertyValue("--row-height"));
  }

  draw() {
    const height = this.rowHeight;
    this.spacer.style.height = `${this.shown.length * height}px`;
    const first = Math.max(0, Math.floor(this.element.scrollTop / height) - MARGIN_ROWS);
    const n = Math.ceil(this.element.clientHeight / height) + 2 * MARGIN_ROWS;
    const last = Math.min(this.shown.length, first + n);
    while (this.pool.length < last - first) this.pool.push(this.newRow());
    this.pool.forEach((element, i) => {
      const index = first + i;
      element.hidden = index >= last;
      if (index < last) this.fill(element, index, height);
    });
    const active = this.pool.find((e) => !e.hidden && Number(e.dataset.index) === this.active);
    if (active) this.element.setAttribute("aria-activedescendant", active.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  newRow() {
    const row = document.createElement("div");
    row.className = "row";
    row.setAttribute("role", "row");
    row.id = `row-${this.pool.length}`;
    for (const name of ["name", "bpm", "confidence", "tempo", "state"]) {
      const cell = document.createElement("div");
      cell.className = name;
      cell.setAttribute("role", "gridcell");
      row.append(cell);
    }
    const [name] = row.children;
    const folder = document.createElement("span");
    folder.className = "folder";
    name.append(document.createElement("span"), folder);
    this.element.append(row);
    return row;
  }

  // Names are only ever text: nothing in them can become markup.
  fill(element, index, height) {
    const row = this.shown[index];
    element.style.transform = `translateY(${index * height}px)`;
    element.dataset.index = index;
    element.dataset.state = row.state;
    element.setAttribute("aria-rowindex", index + 2);
    element.setAttribute("aria-selected", index === this.active);
    const [name, bpm, confidence, tempo, state] = element.children;
    name.firstElementChild.textContent = row.name;
    name.lastElementChild.textContent = row.folder;
    name.title = row.folder ? `${row.folder}/${row.name}` : row.name;
    bpm.textContent = row.bpm ?? "–";
    confidence.textContent = row.confidence === null ? "–" : row.confidence.toFixed(2);
    confidence.dataset.low = row.confidence !== null && row.confidence < 0.6;
    tempo.textContent = row.tempo;
    tempo.title = row.reason ?? "";
    state.textContent = row.draft ? `${row.state}, draft` : row.state;
  }

  onClick(event) {
    const row = event.target.closest("[data-index]");
    if (!row) return;
    this.choose(Number(row.dataset.index));
    this.openActive();
  }

  openActive() {
    const row = this.shown[this.active];
    if (!row) return;
    if (row.tempo === "failed") show(row.reason ?? "This file could not be analysed.", true);
    else this.open(row.id);
  }

  onKey(event) {
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.rowHeight) - 1);
    const moves = {
      ArrowUp: this.active - 1,
      ArrowDown: this.active + 1,
      PageUp: this.active - page,
      PageDown: this.active + page,
      Home: 0,
      End: this.shown.length - 1,
    };
    if (event.key in moves && !event.ctrlKey && !event.metaKey && !event.altKey) {
      this.choose(moves[event.key]);
    } else if (event.key === "Enter") {
      this.openActive();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  choose(index) {
    this.active = Math.max(0, Math.min(this.shown.length - 1, index));
    const height = this.rowHeight;
    const top = this.active * height;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + height > scrollTop + clientHeight) this.element.scrollTop = top + height - clientHeight;
    this.draw();
  }

  select(id) {
    const index = this.shown.findIndex((row) => row.id === id);
    if (index >= 0) this.choose(index);
  }

  focus() {
    this.element.focus();
  }

  async find(run) {
    try {
      this.showRun(await post("/api/find", { run }));
    } catch (error) {
      show(error.message, true);
    }
  }

  // Show how far finding grids is, and ask again while it runs.
  showRun(run) {
    const { finding } = run;
    const box = document.getElementById("finding");
    const nothing = finding === null || (finding.state === "idle" && run.n_tracks >= finding.n_files);
    box.hidden = nothing || finding.state === "done";
    if (nothing) return;
    const running = finding.state === "running";
    const left = Math.max(0, finding.n_files - run.n_tracks);
    const texts = {
      idle: `${run.music} has ${finding.n_files.toLocaleString("en")} audio files, ${left.toLocaleString("en")} of them without a grid. Find them first; results go to ${run.folder}.`,
      running: `Finding grids: ${run.n_tracks.toLocaleString("en")} of ${finding.n_files.toLocaleString("en")} files. What is found can be checked already.`,
      stopped: `Stopped at ${run.n_tracks.toLocaleString("en")} of ${finding.n_files.toLocaleString("en")} files; it goes on where it stopped.`,
      failed: `Finding grids failed: ${finding.message || "see the terminal"}`,
      done: "",
    };
    document.getElementById("finding-text").textContent = texts[finding.state];
    const bar = document.getElementById("finding-progress");
    bar.hidden = !running;
    bar.max = Math.max(finding.n_files, 1);
    bar.value = run.n_tracks;
    document.getElementById("find").hidden = running;
    document.getElementById("find-stop").hidden = !running;
    if (run.version !== this.version) getJson("/api/tracks").then((answer) => this.take(answer)).catch(() => {});
    clearTimeout(this.polling);
    if (running) {
      this.polling = setTimeout(async () => {
        try {
          this.showRun(await getJson("/api/run"));
        } catch (error) {
          show(error.message, true);
        }
      }, POLL_MS);
    } else if (finding.state === "done") {
      show("All grids are found.");
    }
  }
}
