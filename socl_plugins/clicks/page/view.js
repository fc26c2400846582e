// The canvas: the frame, where it was zoomed to, the marks on it, and the line of time below it.

const LINE = 34; // height of the line of time in CSS pixels
const MARGIN = 12;

export class View {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.zoom = 1;
    this.center = null; // in frame pixels; null: the frame is shown whole
    this.scene = null;
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  // scene: {bitmap, video: {width, height, frames}, frame, answers: [{target, x, y, state, box, current}], proposal,
  //         sizing: {center, box}, marks: [{frame, state}], asked: [frame]}
  show(scene) {
    this.scene = scene;
    this.draw();
  }

  size() {
    const area = this.canvas.getBoundingClientRect();
    return { width: area.width, height: area.height, left: area.left, top: area.top };
  }

  // CSS pixels for one frame pixel, and where the frame's corner lies.
  placement() {
    const { width, height } = this.size();
    const { video } = this.scene;
    const free = height - LINE;
    const scale = Math.min(width / video.width, free / video.height) * this.zoom;
    const center = this.zoom > 1 && this.center ? this.center : { x: video.width / 2, y: video.height / 2 };
    return { scale, x: width / 2 - center.x * scale, y: free / 2 - center.y * scale, free };
  }

  // The place in the frame under a pointer event; inside: whether it lies on the frame.
  toFrame(event) {
    const { left, top } = this.size();
    const { scale, x, y, free } = this.placement();
    const { video } = this.scene;
    const place = { x: (event.clientX - left - x) / scale, y: (event.clientY - top - y) / scale };
    const shown = event.clientY - top < free;
    return { ...place, inside: shown && place.x >= 0 && place.y >= 0 && place.x <= video.width && place.y <= video.height };
  }

  // The frame under a pointer event on the line of time, or null.
  toTime(event) {
    const { left, top, width, height } = this.size();
    if (event.clientY - top < height - LINE) return null;
    const part = (event.clientX - left - MARGIN) / (width - 2 * MARGIN);
    return Math.round(Math.min(Math.max(part, 0), 1) * (this.scene.video.frames - 1));
  }

  zoomAt(event, factor) {
    const before = this.toFrame(event);
    const place = this.placement();
    const zoom = Math.min(Math.max(this.zoom * factor, 1), 32);
    const scale = (place.scale * zoom) / this.zoom;
    const { left, top, width } = this.size();
    this.zoom = zoom;
    this.moveTo({
      x: before.x + (width / 2 - (event.clientX - left)) / scale,
      y: before.y + (place.free / 2 - (event.clientY - top)) / scale,
    });
  }

  moveTo(center) {
    const { video } = this.scene;
    this.center = {
      x: Math.min(Math.max(center.x, 0), video.width),
      y: Math.min(Math.max(center.y, 0), video.height),
    };
    this.draw();
  }

  pan(dx, dy) {
    if (this.zoom <= 1 || !this.center) return;
    const { scale } = this.placement();
    this.moveTo({ x: this.center.x - dx / scale, y: this.center.y - dy / scale });
  }

  whole() {
    this.zoom = 1;
    this.center = null;
    if (this.scene) this.draw();
  }

  draw() {
    const { width, height } = this.size();
    const ratio = window.devicePixelRatio || 1;
    const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== pixels[0]) this.canvas.width = pixels[0];
    if (this.canvas.height !== pixels[1]) this.canvas.height = pixels[1];
    const context = this.context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.scene) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const { scale, x, y, free } = this.placement();
    context.save();
    context.beginPath();
    context.rect(0, 0, width, free);
    context.clip();
    context.imageSmoothingEnabled = scale < 4;
    if (this.scene.bitmap) {
      context.drawImage(this.scene.bitmap, x, y, this.scene.video.width * scale, this.scene.video.height * scale);
    }
    const { proposal } = this.scene;
    if (proposal) this.box(proposal, scale, x, y, "#38bdf8", [6, 4]);
    const { sizing } = this.scene;
    if (sizing?.box) this.box(sizing.box, scale, x, y, "#4ade80", [6, 4]);
    if (sizing) this.cross(x + sizing.center.x * scale, y + sizing.center.y * scale, 11);
    for (const answer of this.scene.answers) this.answer(answer, scale, x, y, colour);
    context.restore();
    this.time(width, height, colour);
  }

  box([left, top, width, height], scale, x, y, colour, dash) {
    const context = this.context;
    context.setLineDash(dash);
    for (const [line, stroke] of [[4, "#0009"], [2, colour]]) {
      context.lineWidth = line;
      context.strokeStyle = stroke;
      context.strokeRect(x + left * scale, y + top * scale, width * scale, height * scale);
    }
    context.setLineDash([]);
  }

  answer({ target, x: px, y: py, w, h, state, box, current }, scale, x, y, colour) {
    const context = this.context;
    if (px === null) {
      if (!current) return;
      this.label(`${target}: ${state}`, 12, 12, colour(state));
      return;
    }
    const shown = w ? [px - w / 2, py - h / 2, w, h] : box;
    if (shown) this.box(shown, scale, x, y, "#4ade80", []);
    const [cx, cy] = [x + px * scale, y + py * scale];
    this.cross(cx, cy, current ? 11 : 7);
    this.label(state === "visible" ? target : `${target}: ${state}`, cx + 12, cy - 26, colour(state));
  }

  cross(cx, cy, arm) {
    const context = this.context;
    for (const [line, stroke] of [[5, "#000a"], [2, "#fff"]]) {
      context.lineWidth = line;
      context.strokeStyle = stroke;
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(cx + dx * 3, cy + dy * 3);
        context.lineTo(cx + dx * arm, cy + dy * arm);
      }
      context.stroke();
    }
  }

  label(text, left, top, ground) {
    const context = this.context;
    context.font = "600 12px system-ui, 'DejaVu Sans', sans-serif";
    const width = context.measureText(text).width + 12;
    context.fillStyle = "#000b";
    context.beginPath();
    context.roundRect(left, top, width, 20, 5);
    context.fill();
    context.fillStyle = ground;
    context.fillRect(left + 3, top + 4, 3, 12);
    context.fillStyle = "#fff";
    context.textBaseline = "middle";
    context.fillText(text, left + 9, top + 10.5);
  }

  time(width, height, colour) {
    const context = this.context;
    const { video, frame, marks, asked } = this.scene;
    const at = (number) => MARGIN + (number / Math.max(video.frames - 1, 1)) * (width - 2 * MARGIN);
    const middle = height - LINE / 2;
    context.fillStyle = colour("surface");
    context.fillRect(0, height - LINE, width, LINE);
    context.fillStyle = colour("edge");
    context.fillRect(0, height - LINE, width, 1);
    context.fillRect(MARGIN, middle, width - 2 * MARGIN, 1);
    context.fillStyle = colour("quiet");
    for (const number of asked) context.fillRect(at(number) - 0.5, middle - 3, 1, 7);
    for (const { frame: number, state } of marks) {
      context.fillStyle = colour(state);
      context.fillRect(at(number) - 1.5, middle - 7, 3, 14);
    }
    context.strokeStyle = colour("accent");
    context.lineWidth = 2;
    context.beginPath();
    context.roundRect(at(frame) - 4, middle - 11, 8, 22, 3);
    context.stroke();
  }
}
