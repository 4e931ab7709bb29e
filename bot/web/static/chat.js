/* The web chat. It keeps nothing: the token is a variable, messages live in the page, and both go with
   the page. What the server sends is put in as text, never as HTML. */

const LONG_POLL_S = 20;
const TIMEOUT_MS = 45000; // one message may need half a minute on a slow line
const SLOW_MS = 15000; // then the page says that nobody has seen the message
const FAST_MS = 120000; // then a missing answer is asked for less often
const IDLE_MS = 10000;
const RETRY_MS = [2000, 5000];
const AGAIN_MS = 20000; // no connection: from then on by itself as often as this
const NEUTRAL = "https://www.wikipedia.org/";

const root = document.documentElement;
const $ = (id) => document.getElementById(id);
const [log, input, notice, newer, chooser, globe] = ["log", "text", "notice", "newer", "chooser", "globe"].map($);
const strings = JSON.parse($("strings").textContent);

let token = null; // the key of the chat
let chat = 0; // counts chats: what belongs to an ended one is dropped
let last = ""; // id of the newest message read
let queue = Promise.resolve(); // the person's messages, one after the other
let failed = new Set();
let waiting = 0; // since when an answer is due; 0: none
let slowTimer = 0;
let hiding = false;
let polling = null; // AbortController of the poll that runs
let wake = () => {};
let follow = true; // scroll to what comes; null: leave the first screen in sight
let told = ""; // the notice in sight

// Words

const say = (key) => (strings[root.lang] || {})[key] || strings.en[key] || key;

function make(tag, className, key) {
  const element = document.createElement(tag);
  if (tag === "button") element.type = "button";
  element.className = className;
  if (key) {
    element.dataset.t = key;
    element.textContent = say(key);
  }
  return element;
}

function applyLanguage(lang, dir) {
  root.lang = lang;
  root.dir = dir;
  document.title = say("title");
  for (const e of document.querySelectorAll("[data-t]")) e.textContent = say(e.dataset.t);
  for (const e of document.querySelectorAll("[data-t-label]")) e.setAttribute("aria-label", say(e.dataset.tLabel));
  for (const a of chooser.children) a.setAttribute("aria-current", String(a.lang === lang));
  input.placeholder = say("write");
  fit();
}

// Text with numbers and addresses to tap

const RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/;
const LTR = /[A-Za-z\u00c0-\u024f]/;
const STEP = /^\W?[\d\u0660-\u0669\u06f0-\u06f9]{1,2}[.)\u06d4]/;
const PHONE = /^(?:12[1-4]|126[45]|\+\d[\d ]{6,16}\d|0\d{1,3}[ \d]{4,10}\d)$/;
const TOKENS = /\u2068[^\u2068\u2069]*\u2069|[\w.+-]+@(?:[\w-]+\.)+\w{2,}|(?:https?:\/\/)?(?:[a-z0-9-]+\.)+(?:org|int|ba|net|com|eu|info)(?![\w-])(?:\/[^\s\u2066-\u2069]*)?|\+\d[\d ]{6,16}\d/gi;

const latinDigits = (text) => text.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (d) => d.charCodeAt(0) & 15);

function link(href, text) {
  const a = make("a", "");
  a.href = href;
  a.dir = "ltr";
  a.textContent = text;
  if (href.startsWith("http")) {
    a.target = "_blank";
    a.rel = "noopener noreferrer";
  }
  return a;
}

const telephone = (text) => link("tel:" + latinDigits(text).replace(/ /g, ""), text);

function rich(parent, text) {
  let from = 0;
  text.replace(TOKENS, (token, at) => {
    parent.append(text.slice(from, at));
    from = at + token.length;
    if (token[0] === "\u2068") {
      const inside = token.slice(1, -1);
      parent.append("\u2068");
      if (PHONE.test(latinDigits(inside))) parent.append(telephone(inside));
      else rich(parent, inside);
      parent.append("\u2069");
    } else if (token[0] === "+") {
      parent.append(telephone(token));
    } else if (token.includes("@")) {
      parent.append(link("mailto:" + token, token));
    } else {
      const address = token.replace(/[.,;:!?)\u060c\u061b\u061f\u06d4\u00bb]+$/, "");
      parent.append(link(/^https?:/i.test(address) ? address : "https://" + address, address), token.slice(address.length));
    }
  });
  parent.append(text.slice(from));
}

// A line wholly in the other direction (a Bosnian sentence to show, in an Urdu answer) gets its own.
function lines(parent, text, dir, fill) {
  let gap = "";
  for (const line of text.split(/\r?\n/)) {
    const row = make("div", "row" + gap + (STEP.test(line) ? " step" : ""));
    const bare = line.replace(/\u2068[^\u2069]*\u2069/g, "");
    gap = line.trim() ? "" : " gap";
    if (gap) continue;
    if (dir === "rtl" && LTR.test(bare) && !RTL.test(bare)) {
      row.dir = "ltr";
      row.lang = /[čćžšđ]/i.test(bare) ? "bs" : "en";
    } else if (dir === "ltr" && RTL.test(bare) && !LTR.test(bare)) {
      row.dir = "rtl";
    }
    fill(row, line);
    parent.append(row, "\n");
  }
}

// Messages in the page

const isHide = (data) => String(data).startsWith("x:");

function addMessage(kind, who) {
  const box = make("div", "msg " + kind);
  const text = make("div", "text");
  box.append(make("span", "unseen", who), text);
  return [box, text];
}

function addPerson(words, lang, dir) {
  const [box, text] = addMessage("you", "you");
  const state = make("div", "state");
  state.setAttribute("aria-live", "off");
  text.dir = dir || "auto";
  if (lang) text.lang = lang;
  lines(text, words, "", (row, line) => row.append(line));
  box.append(state);
  log.append(box);
  return { box, state };
}

function addBot({ text: words, lang, dir, kind, buttons = [] }) {
  const safety = kind ? kind === "safety" : buttons.some((b) => isHide(b.data));
  const [box, text] = addMessage(safety ? "bot safety" : "bot", "title");
  text.lang = lang;
  text.dir = dir;
  box.tabIndex = -1;
  if (safety) {
    box.setAttribute("role", "alert");
    const head = make("div", "head");
    head.append(document.importNode($("warning").content, true), make("span", "", "safety"));
    box.insertBefore(head, text);
  }
  lines(text, words || "", dir, rich);
  for (const { title, data } of buttons) {
    const button = make("button", "choice");
    button.lang = lang;
    button.dir = dir;
    button.textContent = title;
    button.onclick = () => (isHide(data) ? hide : send)({ data }, title, lang, dir);
    box.append(button);
  }
  log.append(box);
  return box;
}

function setState(item, state) {
  item.box.classList.toggle("failed", state === "failed");
  item.state.textContent = "";
  item.state.append(make("span", "", state));
  failed.delete(item);
  if (state !== "failed") return;
  failed.add(item);
  const again = make("button", "small", "retry");
  again.onclick = () => {
    deliverNext(item);
    input.focus({ preventScroll: true });
  };
  item.state.append(again);
}

function giveBack(item) {
  item.box.remove();
  failed.delete(item);
  if (item.body.text) input.value = [item.body.text, input.value].filter(Boolean).join("\n");
  fit();
}

function clearMessages() {
  log.textContent = "";
  newer.hidden = true;
}

const atEnd = () => window.scrollY + window.innerHeight > root.scrollHeight - 120;

// An answer longer than the screen is shown from its first line.
function reveal(box) {
  const top = box ? box.getBoundingClientRect().top + window.scrollY - $("leave").offsetHeight - 28 : Infinity;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  window.scrollTo({ top: Math.min(top, root.scrollHeight - window.innerHeight), behavior: calm ? "auto" : "smooth" });
}

// The line above the message box: what is wrong, and the numbers where nobody has seen a message.
function tell(key) {
  const end = atEnd();
  if (!key && !told) return;
  told = key;
  notice.textContent = "";
  if (key) fillNotice(key);
  if (end) reveal();
}

function fillNotice(key) {
  notice.append(make("p", key === "hidden" ? "" : "bad", key));
  if (["offline", "down", "slow"].includes(key)) {
    const numbers = make("p", "");
    say("danger").split(/(12[124])/).forEach((part, n) => numbers.append(n % 2 ? telephone(part) : part));
    notice.append(numbers);
  }
  if (key === "ended") {
    const again = make("button", "choice", "new");
    again.onclick = beginAnew;
    notice.append(again);
  }
}

// Talking to the gateway

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const nap = (ms) => Promise.race([sleep(ms), new Promise((done) => { wake = done; })]);

async function request(method, path, body, key, stop = new AbortController()) {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = "Bearer " + token;
  if (body) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key; // the same for every try: the server keeps one
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(path, {
      method, headers, body: body && JSON.stringify(body), signal: stop.signal,
      credentials: "omit", cache: "no-store", redirect: "error",
    });
    if (!response.ok) throw { status: response.status };
    return await response.json(); // a hotspot's login page is no JSON, and counts as no connection
  } finally {
    clearTimeout(timer);
  }
}

function newItem(body, words, lang, dir) {
  const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => (n + 256).toString(16).slice(1)).join("");
  const item = Object.assign(addPerson(words, lang, dir), { body, key });
  deliverNext(item);
  return item;
}

function send(body, words, lang, dir) {
  follow = true;
  newItem(body, words, lang, dir);
  reveal();
}

function deliverNext(item) {
  const mine = chat;
  setState(item, "sending");
  queue = queue.then(() => deliver(item, mine, 0));
}

async function deliver(item, mine, tries) {
  try {
    if (mine !== chat) return;
    if (!token) {
      const answer = await request("POST", "/chat");
      if (mine !== chat) return;
      token = answer.token;
      poll(mine);
    }
    waiting = Date.now(); // the answer may overtake the receipt
    await request("POST", "/chat/messages", item.body, item.key);
    if (mine !== chat) return;
    setState(item, "sent");
    if (isHide(item.body.data)) return hidden();
    tell("");
    wake();
    if (!waiting) return;
    $("working").hidden = false;
    if (follow) reveal();
    clearTimeout(slowTimer);
    slowTimer = setTimeout(() => told || tell("slow"), SLOW_MS);
  } catch ({ status }) {
    if (mine !== chat) return;
    answered();
    if (!status) tell("offline");
    if (!(status < 500 || status === 503) && tries < RETRY_MS.length) {
      await sleep(RETRY_MS[tries]);
      return deliver(item, mine, tries + 1);
    }
    if (status) hiding = false;
    setState(item, "failed");
    if (status === 413) giveBack(item);
    if (status === 401) ended();
    else tell({ 413: "too_long", 429: "too_fast" }[status] || (status ? "down" : "offline"));
    if (follow) reveal();
    if (!status) setTimeout(() => mine === chat && failed.has(item) && deliverNext(item), AGAIN_MS);
  }
}

async function poll(mine) {
  let failures = 0, pause = 1000;
  while (mine === chat) {
    if (hiding) {
      await sleep(200);
      continue;
    }
    const began = Date.now();
    polling = new AbortController();
    try {
      const rows = await request("GET", "/chat/messages?" + (last && "after=" + encodeURIComponent(last) + "&") + "wait=" + LONG_POLL_S, null, "", polling);
      if (mine !== chat || hiding) continue;
      failures = 0;
      if (["offline", "down"].includes(told) && !failed.size) tell("");
      if (rows.length) {
        pause = 1000;
        show(rows);
        continue;
      }
      const due = waiting && Date.now() - waiting < FAST_MS;
      pause = due ? 1000 : Math.min(pause * 1.5, IDLE_MS);
      // A request that the server held has done its waiting.
      if (!due || Date.now() - began < 1000) await nap(document.hidden ? IDLE_MS : pause);
    } catch ({ status }) {
      if (mine !== chat || hiding) continue;
      if (status === 401) return ended();
      failures += 1;
      if (status !== 429 && (failures > 1 || !navigator.onLine)) tell(status ? "down" : "offline");
      await nap(Math.min(1000 * 2 ** failures, 30000) * (0.75 + Math.random() / 2));
    }
  }
}

function show(rows) {
  const down = follow || (follow !== null && atEnd());
  last = rows[rows.length - 1].id;
  const boxes = rows.filter((row) => row.from !== "person").map(addBot); // the person's stand here already
  if (!boxes.length) return;
  answered();
  if (down) {
    reveal(boxes[0]);
  } else if (newer.hidden && boxes[0].getBoundingClientRect().bottom > window.innerHeight) {
    newer.hidden = false;
    newer.onclick = () => {
      newer.hidden = true;
      reveal(boxes[0]);
      boxes[0].focus({ preventScroll: true });
    };
  }
}

function answered() {
  waiting = 0;
  clearTimeout(slowTimer);
  $("working").hidden = true;
  if (told === "slow") tell("");
}

// Hiding, ending, leaving

function hide(body, title, lang, dir) {
  hiding = true; // what is on its way is older than this wish
  if (polling) polling.abort();
  clearMessages();
  answered();
  send(body, title, lang, dir);
  log.focus({ preventScroll: true });
}

function hidden() {
  clearMessages();
  answered();
  hiding = false;
  tell("hidden");
}

function dropChat() {
  const old = token;
  chat += 1;
  token = null;
  last = "";
  hiding = false;
  queue = Promise.resolve();
  if (polling) polling.abort();
  answered();
  return old;
}

function ended() {
  dropChat();
  tell("ended");
}

function beginAnew() {
  dropChat();
  failed.forEach(giveBack);
  clearMessages();
  tell("");
  input.focus();
}

// Nothing is kept, so a page that goes away ends its chat, also on a reload.
function endChat() {
  const old = dropChat();
  if (old) fetch("/chat", { method: "DELETE", headers: { Authorization: "Bearer " + old }, keepalive: true, credentials: "omit" }).catch(() => {});
}

function leave() {
  document.title = "\u200b";
  document.body.hidden = true;
  endChat();
  clearMessages();
  input.value = "";
  location.replace(NEUTRAL);
}

// The page

function fit() {
  input.dir = input.value.trim() ? "auto" : root.dir; // an empty box follows the page, for its hint
  input.style.height = "auto";
  input.style.height = input.scrollHeight + 2 + "px";
}

const isOpen = () => globe.getAttribute("aria-expanded") === "true";

// There is one list of languages: on the first screen, or under the header while it is open there.
function toggleChooser(open) {
  if (open === isOpen()) return;
  (open ? document.querySelector("header") : $("place")).append(chooser);
  globe.setAttribute("aria-expanded", String(open));
  globe.focus();
}

function choose(event) {
  const a = event.target.closest("a");
  event.preventDefault();
  if (!a) return;
  toggleChooser(false);
  follow = log.firstChild ? atEnd() : null; // now the first screen can be read
  applyLanguage(a.lang, a.dir);
  newItem({ data: "l:" + a.lang }, a.textContent, a.lang, a.dir);
}

$("skip").onclick = (event) => {
  event.preventDefault(); // an address with "#" would be one more step back to this page
  input.focus();
};
$("composer").onsubmit = (event) => {
  const text = input.value;
  event.preventDefault();
  input.focus();
  if (!text.trim()) return;
  input.value = "";
  fit();
  send({ text }, text.trim());
};
input.oninput = fit;
input.onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  $("send").click();
};
chooser.onclick = choose;
globe.onclick = () => toggleChooser(!isOpen());
$("topics").onclick = () => send({ text: "/menu" }, say("topics"), root.lang, root.dir);
$("sos").onclick = () => {
  reveal($("numbers"));
  $("numbers").focus({ preventScroll: true });
};
$("leave").onclick = leave;

let escapes = [];
document.onkeydown = (event) => {
  if (/^(Page|Home|Arrow|Tab)/.test(event.key)) follow = false;
  if (event.key !== "Escape") return;
  toggleChooser(false);
  escapes = escapes.filter((at) => Date.now() - at < 2000).concat(Date.now());
  if (escapes.length > 2) leave();
};
window.onwheel = window.ontouchmove = () => { follow = false; }; // who scrolls is not pulled away
window.onscroll = () => { if (atEnd()) newer.hidden = true; };
window.ononline = () => {
  failed.forEach(deliverNext);
  wake();
};
document.onvisibilitychange = () => document.hidden || wake();
window.onpagehide = () => {
  endChat();
  clearMessages();
  tell("");
  input.value = "";
};

for (const e of document.querySelectorAll(".script")) e.hidden = false;
applyLanguage(root.lang, root.dir);
