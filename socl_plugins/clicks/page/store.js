// Requests to the server, and the clicks that it does not have yet.

const token = new URLSearchParams(location.search).get("token") || "";

export function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A name for this tab that outlives a reload.
export const browser = sessionStorage.getItem("browser") || randomId();
sessionStorage.setItem("browser", browser);

export async function request(method, path, body) {
  const headers = { "X-Token": token, "X-Browser": browser };
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) }).catch(() => {
    throw Object.assign(new Error("The server does not answer. Is socl annotate still running?"), { offline: true });
  });
  if (!response.ok) {
    const said = await response.json().catch(() => ({}));
    throw Object.assign(new Error(said.error || `the server answered ${response.status}`), { status: response.status });
  }
  return response;
}

export const get = async (path) => (await request("GET", path)).json();
export const put = async (path, body) => (await request("PUT", path, body)).json();

// Clicks wait here until the server says that they are on its disk: also through a reload, and a new start of the server.
export class Outbox {
  constructor(numberOf, onStored, onTrouble) {
    this.numberOf = numberOf; // from a video's name to its number, or undefined
    this.onStored = onStored; // (click, answer)
    this.onTrouble = onTrouble; // (message, the click that was refused for good, or null)
    this.key = `outbox-${browser}`;
    this.waiting = [];
    for (const key of Object.keys(localStorage).filter((key) => key.startsWith("outbox-"))) {
      this.waiting.push(...JSON.parse(localStorage.getItem(key)));
      if (key !== this.key) localStorage.removeItem(key);
    }
    this.save();
    this.sending = false;
  }

  add(click) {
    this.waiting.push(click);
    this.save();
    this.flush();
  }

  save() {
    if (this.waiting.length) localStorage.setItem(this.key, JSON.stringify(this.waiting));
    else localStorage.removeItem(this.key);
  }

  async flush() {
    if (this.sending) return;
    this.sending = true;
    while (this.waiting.length) {
      const click = this.waiting[0];
      const number = this.numberOf(click.video);
      let refused = number === undefined ? new Error(`there is no video ${click.video} any more`) : null;
      try {
        if (!refused) this.onStored(click, (await put(`/api/videos/${number}/clicks`, click)).answer);
      } catch (error) {
        if (!error.status || error.status >= 500 || error.status === 403) {
          this.onTrouble(this.trouble(error), null);
          setTimeout(() => this.flush(), 2000);
          break;
        }
        refused = error;
      }
      this.waiting.shift();
      this.save();
      if (refused) this.onTrouble(`A click was refused: ${refused.message}`, click);
    }
    this.sending = false;
  }

  trouble(error) {
    const count = `${this.waiting.length} ${this.waiting.length === 1 ? "click waits" : "clicks wait"} here`;
    if (error.status === 403) return `${count}: the server was started anew. Open the address that it printed.`;
    if (error.status) return `${count}: ${error.message}. Trying again …`;
    return `${count}: the server does not answer. Trying again …`;
  }
}

// Decoded frames, the most recently used ones, up to so many pixels in all.
export class Frames {
  constructor(pixels = 40e6) {
    this.pixels = pixels;
    this.known = new Map(); // "video/frame" -> promise of an ImageBitmap
    this.epoch = 0;
  }

  get(video, frame) {
    const key = `${video.number}/${frame}`;
    let bitmap = this.known.get(key);
    if (bitmap) this.known.delete(key); // and in again as the newest
    else {
      bitmap = request("GET", `/api/videos/${video.number}/frames/${frame}`)
        .then((response) => response.blob())
        .then((blob) => createImageBitmap(blob));
      bitmap.catch(() => this.known.delete(key));
    }
    this.known.set(key, bitmap);
    const most = Math.max(Math.floor(this.pixels / (video.width * video.height)), 4);
    for (const old of [...this.known.keys()].slice(0, Math.max(this.known.size - most, 0))) {
      this.known.get(old).then((gone) => gone.close(), () => {});
      this.known.delete(old);
    }
    return bitmap;
  }

  has(video, frame) {
    return this.known.has(`${video.number}/${frame}`);
  }
}
