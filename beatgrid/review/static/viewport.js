// The stretch of the track that is on screen.

export const MIN_SPAN_S = 0.01;

export class Viewport {
  constructor(duration_s) {
    this.duration_s = duration_s;
    this.start_s = 0;
    this.span_s = duration_s;
    this.width = 1;
  }

  x(time_s) {
    return ((time_s - this.start_s) / this.span_s) * this.width;
  }

  time(x) {
    return this.start_s + (x / this.width) * this.span_s;
  }

  get end_s() {
    return this.start_s + this.span_s;
  }

  set(start_s, span_s) {
    this.span_s = Math.min(Math.max(span_s, MIN_SPAN_S), this.duration_s);
    this.start_s = Math.min(Math.max(start_s, 0), this.duration_s - this.span_s);
  }

  // Zoom by a factor; the given time stays where it is.
  zoom(factor, at_s) {
    const span_s = Math.min(Math.max(this.span_s * factor, MIN_SPAN_S), this.duration_s);
    this.set(at_s - ((at_s - this.start_s) * span_s) / this.span_s, span_s);
  }

  // Bring a time into sight, with some room to what follows it.
  reveal(time_s) {
    if (time_s < this.start_s || time_s > this.start_s + 0.95 * this.span_s) {
      this.set(time_s - 0.1 * this.span_s, this.span_s);
    }
  }
}
