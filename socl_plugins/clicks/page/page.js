// The page: what is shown, what keys and mouse do, which frame is next.

import { Frames, Outbox, browser, get, put, randomId, request } from "/store.js";
import { View } from "/view.js";

const PLAYED = 20; // frames that P plays
const SMALLEST = 2; // side of a target in pixels
const STATES = ["visible", "occluded", "absent", "skipped"];

const element = (id) => document.getElementById(id);
const view = new View(element("canvas"));
const frames = new Frames();

let videos = []; // {number, name, split, frames, width, height, fps, answered}
let every = 10;
let video = null;
let frame = 0;
let shownAt = 0; // when the frame came on the screen
let pending = false; // a frame was asked for and is not on the screen yet
let targets = ["1"];
let target = "1";
let answers = {}; // by target, by frame: {x, y, state, source, author, box}
let history = []; // the author's own answers to this video, in order: [frame, target]
let order = null; // the frames to ask about, those in most doubt first; null: evenly spread ones
let asking = null; // the timer that waits for that order
let proposing = false;
let proposals = {}; // by frame: [x, y, w, h, score]
let playing = null;
let cursor = null; // the last pointer event on the canvas
let dragging = null;
let sizing = null; // the next answer tells the target's size, too: {center: null, then the place of the first click}
let feedbackWanted = null; // the newest click whose TOP map has not been asked for
let feedbackRunning = false;
let messageTimer = null;

const author = element("author");
author.value = localStorage.getItem("author") || `annotator-${browser.slice(0, 4)}`;

const outbox = new Outbox(
  (name) => videos.find((known) => known.name === name)?.number,
  (click, answer) => {
    element("message").hidden = true;
    if (click.video === video?.name && !outbox.waiting.some((other) => other !== click && same(other, click))) {
      put_answer(click.target, click.frame, answer);
      draw();
    }
  },
  (message, refused) => {
    say(message, refused ? 8000 : 0);
    if (refused && refused.video === video?.name) reload();
  },
);

const same = (one, other) => one.video === other.video && one.frame === other.frame && one.target === other.target;

function say(message, forMilliseconds = 4000) {
  clearTimeout(messageTimer);
  element("message").textContent = message;
  element("message").hidden = false;
  if (forMilliseconds) messageTimer = setTimeout(() => (element("message").hidden = true), forMilliseconds);
}

// What goes wrong is told; that the server is away is told once, with the clicks that wait for it.
const guarded = (action) => (...values) =>
  Promise.resolve(action(...values)).catch((error) => {
    if (!error.offline || !outbox.waiting.length) say(error.message, 8000);
  });

// ---- what is known of the frames

const answered = (number, of = target) => Boolean(answers[of]?.[number]);

function put_answer(of, number, answer) {
  answers[of] ??= {};
  const box = answers[of][number]?.box;
  if (!answer) delete answers[of][number];
  else answers[of][number] = { ...answer, box: box && same_place(answers[of][number], answer) ? box : undefined };
}

const same_place = (one, other) => one.x === other.x && one.y === other.y;

function asked() {
  if (order) return order;
  const found = [];
  for (let number = 0; number < video.frames; number += every) found.push(number);
  return found;
}

// The next asked frame without an answer: after this one, else from the start; null if there is none.
function nextAsked() {
  const open = asked().filter((number) => !answered(number));
  if (!open.length) return null;
  if (order) return open[0];
  return open.find((number) => number > frame) ?? open[0];
}

function largestGap() {
  const known = Object.keys(answers[target] || {}).map(Number).sort((a, b) => a - b);
  const edges = [-1, ...known, video.frames];
  let best = null;
  for (let n = 1; n < edges.length; n++) {
    // Before the first answer and behind the last, the end of the video itself is asked about.
    const [from, to] = [edges[n - 1], edges[n]];
    const middle = from < 0 ? 0 : to === video.frames ? video.frames - 1 : Math.floor((from + to) / 2);
    const size = from < 0 || to === video.frames ? (to - from - 1) * 2 : to - from;
    if (!answered(middle) && (best === null || size > best.size)) best = { size, middle };
  }
  return best ? best.middle : null;
}

// ---- showing

function draw() {
  if (!video) return;
  const shown = targets
    .filter((name) => answers[name]?.[frame])
    .map((name) => ({ target: name, current: name === target, ...answers[name][frame] }));
  view.show({
    bitmap: view.bitmap,
    video,
    frame,
    answers: shown,
    proposal: proposing && !answered(frame) && proposals[frame] ? proposals[frame].slice(0, 4) : null,
    sizing: sizing?.center ? { center: sizing.center, box: cursor ? box_to(view.toFrame(cursor)) : null } : null,
    marks: Object.entries(answers[target] || {}).map(([number, { state }]) => ({ frame: Number(number), state })),
    asked: asked(),
  });
  element("place").textContent = `frame ${frame} of ${video.frames} · ${video.split}`;
  const counts = STATES.map((state) => [
    state,
    Object.values(answers[target] || {}).filter((answer) => answer.state === state).length,
  ]);
  const open = asked().filter((number) => !answered(number)).length;
  const said = counts.filter(([, count]) => count).map(([state, count]) => `${count} ${state}`);
  element("progress").textContent = `${said.join(", ") || "none yet"}; ${open} asked frames are open`;
}

async function show(number) {
  if (sizing) sizing.center = null;
  frame = Math.min(Math.max(number, 0), video.frames - 1);
  const [wantedVideo, wantedFrame] = [video, frame];
  pending = true;
  const bitmap = await frames.get(video, frame);
  if (video !== wantedVideo || frame !== wantedFrame) return; // the person has gone on meanwhile
  view.bitmap = bitmap;
  draw();
  pending = false;
  shownAt = performance.now();
  document.body.dataset.shown = `${video.name}/${frame}`;
  prefetch();
  if (proposing) guarded(pollProposals)();
}

function prefetch() {
  const open = asked().filter((number) => !answered(number) && number !== frame);
  const coming = order ? open.slice(0, 3) : open.filter((number) => number > frame).slice(0, 3);
  for (const number of [...coming, frame + 1, frame - 1]) {
    if (number >= 0 && number < video.frames && !frames.has(video, number)) frames.get(video, number).catch(() => {});
  }
}

async function openVideo(number, at = null) {
  stopProposals();
  order = null;
  clearTimeout(asking);
  asking = null;
  video = videos[number];
  view.bitmap = null;
  view.whole();
  await reload();
  target = targets[0];
  drawTargets();
  element("title").textContent = video.name;
  document.title = `${video.name} – clicks`;
  sessionStorage.setItem("video", video.name);
  frame = -1;
  await show(at ?? nextAsked() ?? 0);
}

async function reload() {
  const wanted = video;
  const known = await put(`/api/videos/${video.number}`, { author: author.value });
  if (video !== wanted) return;
  answers = known.answers;
  history = known.history;
  targets = known.targets.length ? known.targets : ["1"];
  for (const click of outbox.waiting) if (click.video === video.name && click.state !== "undone") keep(click);
  if (!targets.includes(target)) target = targets[0];
  drawTargets();
  draw();
}

function drawTargets() {
  const buttons = targets.map((name, place) => {
    const button = document.createElement("button");
    button.textContent = place < 9 && name !== String(place + 1) ? `${place + 1} ${name}` : name;
    button.setAttribute("aria-pressed", String(name === target));
    button.onclick = () => chooseTarget(place);
    return button;
  });
  const add = document.createElement("button");
  add.textContent = "+";
  add.title = "Another target";
  add.onclick = nameTarget;
  element("targets").replaceChildren(...buttons, add);
}

function nameTarget() {
  const form = document.createElement("form");
  const input = document.createElement("input");
  input.placeholder = "its name";
  input.maxLength = 64;
  input.value = String(targets.length + 1);
  form.append(input);
  form.onsubmit = (event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (targets.includes(name)) return say(`There is a target ${name} already.`);
    if (!/^[\p{L}\p{N}_]([\p{L}\p{N}_ .-]*[\p{L}\p{N}_-])?$/u.test(name)) {
      return say("A target's name has letters, digits, spaces, '.', '_' and '-'.");
    }
    targets.push(name);
    chooseTarget(targets.length - 1);
  };
  input.onblur = () => drawTargets();
  element("targets").replaceChildren(...[...element("targets").children].slice(0, -1), form);
  input.select();
}

function chooseTarget(place) {
  if (place >= targets.length) return;
  if (sizing) sizing.center = null;
  stopProposals();
  order = null;
  target = targets[place];
  drawTargets();
  element("canvas").focus();
  draw();
}

// ---- answers

function keep(click) {
  const { x, y, w, h, state, source } = click;
  put_answer(click.target, click.frame, { x, y, w, h, state, source, author: click.author });
  history.push([click.frame, click.target]);
  if (!targets.includes(click.target)) targets.push(click.target);
}

function answer(state, place, source = "hand", size = null) {
  if (!video || pending || playing) return;
  const round = (value) => Math.round(value * 100) / 100;
  const click = {
    id: randomId(),
    video: video.name,
    frame,
    target,
    x: place ? round(place.x) : null,
    y: place ? round(place.y) : null,
    ...(size && { w: round(size.w), h: round(size.h) }),
    state,
    ms: Math.round(performance.now() - shownAt),
    source,
    author: author.value,
  };
  keep(click);
  outbox.add(click);
  if (state === "visible") guarded(showFeedback)(click);
  const next = nextAsked();
  if (next === null) {
    draw();
    say("All asked frames are answered. M asks about the middle of the largest gap, PageDown opens the next video.");
  } else guarded(show)(next);
}

function undo() {
  const last = history.pop();
  if (!last) return say("There is nothing of yours to take back in this video.");
  const [number, of] = last;
  const click = { id: randomId(), video: video.name, frame: number, target: of, x: null, y: null, state: "undone" };
  put_answer(of, number, null); // the server says what stands then
  if (of !== target && targets.includes(of)) chooseTarget(targets.indexOf(of));
  outbox.add({ ...click, ms: null, source: "hand", author: author.value });
  guarded(show)(number);
}

// One at a time and the newest first: a browser has few connections to a server, and frames need those more.
async function showFeedback(click) {
  feedbackWanted = click;
  if (feedbackRunning) return;
  feedbackRunning = true;
  try {
    while (feedbackWanted) {
      const next = feedbackWanted;
      feedbackWanted = null;
      if (next.video === video.name) await fetchFeedback(next);
    }
  } finally {
    feedbackRunning = false;
  }
}

async function fetchFeedback(click) {
  const size = click.w ? `&w=${click.w}&h=${click.h}` : "";
  const path = `/api/videos/${video.number}/frames/${click.frame}/top?x=${click.x}&y=${click.y}${size}`;
  const response = await request("GET", path);
  const box = response.headers.get("X-Box").split(",").map(Number);
  const picture = await response.blob();
  const kept = click.video === video.name ? answers[click.target]?.[click.frame] : null;
  if (kept && same_place(kept, click)) kept.box = box;
  if (click.video === video.name && click.frame === frame) draw();
  const image = element("feedback");
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(picture);
  image.alt = `Frame ${click.frame}: the target is taken to be ${Math.round(box[2])} by ${Math.round(box[3])} pixels`;
  image.hidden = false;
  element("caption").textContent = `frame ${click.frame}: ${Math.round(box[2])} × ${Math.round(box[3])} pixels`;
}

// ---- the target's size, by a second click on a corner of it

const box_to = ({ x, y }) => {
  const [w, h] = [2 * Math.abs(x - sizing.center.x), 2 * Math.abs(y - sizing.center.y)];
  return [sizing.center.x - w / 2, sizing.center.y - h / 2, w, h];
};

function toggleSizing() {
  sizing = sizing ? null : { center: null };
  press("size", Boolean(sizing));
  if (sizing) say("Two clicks: on the target's centre, then on a corner of it. S leaves it.");
  else element("message").hidden = true;
  draw();
}

function clickForSize(place) {
  if (!sizing.center) {
    sizing.center = place;
    say("Now a corner of the target.");
    return draw();
  }
  const [, , w, h] = box_to(place);
  if (Math.min(w, h) < SMALLEST) return say("A corner lies away from the centre, to the side and up or down.");
  const { center } = sizing;
  sizing = null;
  press("size", false);
  answer("visible", center, "hand", { w, h });
}

// ---- the tracker's proposals, and the frames that matter

function stopProposals() {
  if (proposing) put(`/api/videos/${video.number}/proposals`, { target, frame, on: false }).catch(() => {});
  proposing = false;
  proposals = {};
  press("track", false);
}

function toggleProposals() {
  if (proposing) {
    stopProposals();
    return draw();
  }
  proposing = true;
  press("track", true);
  guarded(pollProposals)();
}

let polling = false;

async function pollProposals() {
  if (polling) return;
  polling = true;
  try {
    while (proposing) {
      const [of, at] = [target, video];
      const found = await put(`/api/videos/${at.number}/proposals`, { target: of, frame, on: true });
      if (!proposing || of !== target || at !== video) continue;
      if (found.error) throw new Error(found.error);
      proposals = found.boxes;
      draw();
      if (proposals[frame] || answered(frame)) break;
      await new Promise((resume) => setTimeout(resume, 100));
    }
  } catch (error) {
    proposing = false;
    press("track", false);
    throw error;
  } finally {
    polling = false;
  }
}

function accept() {
  const box = proposing && proposals[frame];
  if (!box) return say("T lets the tracker propose; Enter accepts its box.");
  const place = { x: box[0] + box[2] / 2, y: box[1] + box[3] / 2 };
  const inside = { x: Math.min(Math.max(place.x, 0), video.width), y: Math.min(Math.max(place.y, 0), video.height) };
  answer("visible", inside, "accepted");
}

async function askWhereItMatters(begin = true) {
  if (begin && order) {
    order = null;
    press("ask", false);
    return draw();
  }
  const [of, at] = [target, video];
  const found = await put(`/api/videos/${at.number}/asking`, { target: of, begin });
  if (of !== target || at !== video) return;
  if (found.error) throw new Error(found.error);
  if (!found.order) {
    say(`The tracker looks for the frames that matter: ${found.done} of ${found.of} …`);
    asking = setTimeout(() => guarded(askWhereItMatters)(false), 300);
    return;
  }
  order = found.order;
  press("ask", true);
  say(`${order.length} frames, those first where the tracker is least sure.`);
  await show(nextAsked() ?? frame);
}

// ---- playing

async function play() {
  if (playing || !video) return;
  const last = frame;
  const run = (playing = { last });
  const wait = 1000 / Math.min(Math.max(video.fps || 25, 5), 30);
  for (let number = Math.max(last - PLAYED, 0); playing === run && number <= last; number++) {
    const bitmap = await frames.get(video, number);
    if (playing !== run) return;
    frame = number;
    view.bitmap = bitmap;
    draw();
    await new Promise((resume) => setTimeout(resume, wait));
  }
}

function stopPlaying() {
  if (!playing) return;
  const { last } = playing;
  playing = null;
  guarded(show)(last);
}

// ---- keys, mouse, buttons

const changeVideo = (step) => openVideo((video.number + step + videos.length) % videos.length);

const KEYS = [
  // [id, name of the key, what it does, keys, action, label of its button]
  ["", "click", "the target's centre is here; on to the next asked frame", [], null, ""],
  ["back", "A ←", "one frame back", ["a", "arrowleft"], () => show(frame - 1), ""],
  ["on", "D →", "one frame on", ["d", "arrowright"], () => show(frame + 1), ""],
  ["skip", "Space", "skip this frame", [" "], () => answer("skipped", null), "Skip"],
  ["absent", "X", "the target is not in the frame", ["x"], () => answer("absent", null), "Absent"],
  ["occluded", "O", "the target is hidden (where the mouse points, if it is on the frame)", ["o"], occluded, "Occluded"],
  ["undo", "Z", "take the last answer back, and go there", ["z"], undo, "Undo"],
  ["size", "S", "two clicks tell the target's size: the centre, then a corner; once a video is enough", ["s"], toggleSizing, "Size"],
  ["next", "N", "the next asked frame without an answer", ["n"], () => show(nextAsked() ?? frame), "Next"],
  ["halve", "M", "the middle of the largest gap between answers", ["m"], () => show(largestGap() ?? frame), "Halve gap"],
  ["track", "T", "the tracker proposes boxes; a click puts it right", ["t"], toggleProposals, "Track"],
  ["accept", "Enter", "accept the tracker's box", ["enter"], accept, "Accept"],
  ["ask", "Q", "ask first where the tracker is least sure", ["q"], () => askWhereItMatters(), "Ask"],
  ["play", "P", `held: play the last ${PLAYED} frames`, ["p"], play, ""],
  ["", "1 – 9", "choose the target", [], null, ""],
  ["", "PageUp PageDown", "the video before, the next video", [], null, ""],
  ["", "wheel", "zoom at the mouse; the right button moves the frame", [], null, ""],
  ["whole", "0", "show the whole frame", ["0"], () => view.whole(), ""],
  ["keys", "?", "show this", ["?"], () => element("keys").showModal(), ""],
];

function occluded() {
  const place = cursor && video ? view.toFrame(cursor) : null;
  answer("occluded", place?.inside ? place : null);
}

const press = (id, on) => element(id)?.setAttribute("aria-pressed", String(on));

function buildButtons() {
  for (const [id, key, does, , action, label] of KEYS) {
    const row = document.createElement("tr");
    const cells = [document.createElement("td"), document.createElement("td")];
    for (const part of key === "1 – 9" ? [key] : key.split(" ")) {
      const shown = document.createElement("kbd");
      shown.textContent = part;
      cells[0].append(shown, " ");
    }
    cells[1].textContent = does;
    row.append(...cells);
    element("key-table").append(row);
    if (!label) continue;
    const button = document.createElement("button");
    button.id = id;
    button.title = does;
    const shown = document.createElement("kbd");
    shown.textContent = key;
    button.append(label, shown);
    button.onclick = () => {
      button.blur();
      guarded(action)();
    };
    element("actions").append(button);
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !video || element("keys").open) return;
  if (event.target instanceof HTMLInputElement) return;
  const key = event.key.toLowerCase();
  if (/^[1-9]$/.test(key)) return chooseTarget(Number(key) - 1);
  if (key === "pageup" || key === "pagedown") {
    event.preventDefault();
    return guarded(changeVideo)(key === "pageup" ? -1 : 1);
  }
  const found = KEYS.find(([, , , keys]) => keys.includes(key));
  if (!found) return;
  event.preventDefault();
  const moves = ["back", "on"].includes(found[0]);
  if (event.repeat && !moves) return;
  if (found[0] !== "play") stopPlaying();
  guarded(found[4])();
});

document.addEventListener("keyup", (event) => event.key.toLowerCase() === "p" && stopPlaying());
window.addEventListener("blur", stopPlaying);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) shownAt = performance.now(); // the time of a person who was elsewhere is not the click's
});

const canvas = element("canvas");
canvas.addEventListener("pointermove", (event) => {
  cursor = event;
  if (sizing?.center && !dragging) draw();
  if (!dragging || !video) return;
  if (dragging.time) guarded(show)(view.toTime(event) ?? frame);
  else view.pan(event.clientX - dragging.x, event.clientY - dragging.y);
  dragging = { ...dragging, x: event.clientX, y: event.clientY };
});
canvas.addEventListener("pointerleave", () => (cursor = null));
canvas.addEventListener("pointerdown", (event) => {
  if (!video || playing) return;
  canvas.focus();
  const time = view.toTime(event);
  if (event.button !== 0 || time !== null) {
    dragging = { x: event.clientX, y: event.clientY, time: event.button === 0 };
    canvas.setPointerCapture(event.pointerId);
    if (dragging.time) guarded(show)(time);
    return;
  }
  const place = view.toFrame(event);
  if (sizing && !pending && (place.inside || sizing.center)) clickForSize(place);
  else if (!sizing && place.inside) answer("visible", place);
});
for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (dragging = null));
canvas.addEventListener("contextmenu", (event) => event.preventDefault());
canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    if (video) view.zoomAt(event, Math.exp(-event.deltaY / 400));
  },
  { passive: false },
);
element("previous").onclick = () => guarded(changeVideo)(-1);
element("following").onclick = () => guarded(changeVideo)(1);
element("help").onclick = () => element("keys").showModal();
author.onchange = () => {
  author.value = author.value.trim() || `annotator-${browser.slice(0, 4)}`;
  localStorage.setItem("author", author.value);
  guarded(reload)();
  canvas.focus();
};

buildButtons();
guarded(async () => {
  const known = await get("/api/videos");
  videos = known.videos.map((each, number) => ({ ...each, number }));
  every = known.every;
  outbox.flush();
  const last = videos.findIndex((each) => each.name === sessionStorage.getItem("video"));
  await openVideo(last >= 0 ? last : known.chosen);
  canvas.focus();
})();
