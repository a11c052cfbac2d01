// The page of `martlet serve`: a conversation and its settings. No request leaves the server's origin.

import { $, element, button, copyButton } from "./dom.js";
import { markdown } from "./markdown.js";
import { SkeletonView } from "./skeleton-view.js";
import { correct, editChips, showEdits } from "./corrections.js";
import * as store from "./conversations.js";
import { keep, startTheme } from "./theme.js";
import { call, stream } from "./server.js";

const view = $("conversation"), input = $("input");
let talk = store.current();
let running = null; // AbortController of the answer that is being written
let model = null; // what the server says of its model

// ---- settings: kept in the browser

const skeletonKey = () => "martlet.skeleton." + (model?.id ?? "");
for (const id of ["system", "temperature", "top-p", "repetition", "max-tokens", "seed", "key"]) {
  const value = localStorage.getItem("martlet." + id);
  if (value !== null) $(id).value = value;
  $(id).addEventListener("change", () => keep("martlet." + id, $(id).value));
}
$("skeleton").addEventListener("change", () => keep(skeletonKey(), $("skeleton").value));

startTheme();

// Numbers that cannot be sent are told beside their field, not by a server's error.
function settingsProblem() {
  const bad = [...document.querySelectorAll("#settings input[type=number]")].find((field) => !field.checkValidity());
  if (!bad) return null;
  toggle("settings", true);
  bad.focus();
  const name = bad.parentElement.firstChild.textContent.trim();
  return `The setting “${name}” does not hold: ${bad.validationMessage}`;
}

function size(count) {
  return count >= 1e9 ? (count / 1e9).toFixed(1) + "B" : Math.round(count / 1e6) + "M";
}

async function showModel() {
  try {
    model = (await call("GET", "v1/models")).data[0];
    $("model").textContent = `${model.id} · ${model.meta.architecture} · ${size(model.meta.n_params)}`;
    $("model").title = $("model").textContent;
    $("to-drawing").hidden = !model.meta.sensing;
    chooseSkeleton();
    draw();
  } catch (problem) {
    $("model").textContent = problem.status === 503 ? "The model is being loaded…" : problem.message;
    $("model").title = problem.message;
    if (problem.status === 503 || !problem.status) setTimeout(showModel, 1500);
  }
}

// Off for models too small to write a skeleton, unless the person or the server's operator chose otherwise.
function chooseSkeleton() {
  const chosen = localStorage.getItem(skeletonKey());
  const { skeleton, skeleton_suits: suits, n_params: count } = model.meta;
  $("skeleton").value = chosen ?? (skeleton !== "off" ? skeleton : suits ? "auto" : "off");
  $("skeleton-why").textContent = suits ? "A skeleton is a list of points that are then generated in parallel, so long answers are complete sooner."
    : `Skeletons are off by default here: a model of ${size(count)} parameters seldom writes one that is worth filling in; about 1B are needed.`;
}
$("key").addEventListener("change", showModel);

// ---- panels

function toggle(id, open = $(id).hidden) {
  $(id).hidden = !open;
  $("toggle-" + id).setAttribute("aria-expanded", open);
  if (id === "list") {
    keep("martlet.list", open ? "open" : "");
    if (open) drawList();
  }
  if (open && id === "edits") showEdits();
}
for (const id of ["list", "edits", "settings"]) $("toggle-" + id).addEventListener("click", () => toggle(id));

function openPanel(id, focus) {
  toggle(id);
  if ($(id).hidden) input.focus(); else focus?.();
}

// ---- conversations

function drawList() {
  if ($("list").hidden) return;
  const conversations = store.all();
  $("conversations").replaceChildren(...conversations.map(listLine));
  if (conversations.length === 0) $("conversations").append(element("li", "quiet", "None yet."));
}

function listLine(one) {
  const line = element("li", one.id === talk.id ? "current" : "");
  const choose = button(one.name, "name", () => { change(store.open(one.id) ?? new store.Conversation()); input.focus(); });
  choose.title = one.name;
  if (one.id === talk.id) choose.setAttribute("aria-current", "true");
  const rename = button("✎", "icon", () => renameLine(line, one), "Rename “" + one.name + "”");
  rename.title = "Rename";
  let sure = false;
  const remove = button("✕", "icon", () => {
    if (!sure) {
      sure = true;
      remove.textContent = "Delete?";
      setTimeout(() => { sure = false; remove.textContent = "✕"; }, 4000);
      return;
    }
    store.remove(one.id);
    if (one.id === talk.id) change(new store.Conversation()); else drawList();
  }, "Delete “" + one.name + "”");
  remove.title = "Delete";
  line.append(choose, rename, remove);
  return line;
}

function renameLine(line, one) {
  const form = element("form");
  const field = element("input");
  field.value = one.name;
  field.maxLength = 200;
  field.setAttribute("aria-label", "Name of the conversation");
  form.append(field);
  const done = (isKept) => {
    if (isKept && field.value.trim()) {
      const kept = one.id === talk.id ? talk : store.open(one.id);
      if (kept) {
        const updated = kept.updated;
        kept.title = field.value.trim();
        tell(kept.save());
        kept.updated = updated;
        keep("martlet.current", talk.id);
      }
    }
    drawList();
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); done(true); });
  field.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); done(false); } });
  field.addEventListener("blur", () => done(true), { once: true });
  line.replaceChildren(form);
  field.select();
}

function tell(problem) {
  $("list-problem").textContent = problem ?? "";
  $("list-problem").hidden = !problem;
  if (problem) toggle("list", true);
}

function save() {
  tell(talk.save());
  drawList();
}

// Shows another conversation; an answer that is being written ends and is kept where it belongs.
function change(other) {
  running?.abort();
  talk = other;
  if (talk.messages.length) keep("martlet.current", talk.id); else store.forgetCurrent();
  draw();
  drawList();
  if (narrow.matches) toggle("list", false);
}

const narrow = matchMedia("(max-width: 48rem)");
addEventListener("storage", (event) => { if (store.isConversationKey(event.key)) drawList(); });

// ---- drawing

const atEnd = () => view.scrollHeight - view.scrollTop - view.clientHeight < 60;
function keepAtEnd(change) {
  const follow = atEnd();
  change();
  if (follow) view.scrollTop = view.scrollHeight;
}

function draw() {
  if (running) return;
  view.replaceChildren(...talk.messages.map((message, index) => drawMessage(message, index)));
  if (talk.messages.length === 0) view.append(element("p", "empty", "Ask something."));
  view.scrollTop = view.scrollHeight;
}

function frame(role) {
  const node = element("article", "message " + role);
  node.setAttribute("aria-label", role === "user" ? "You" : "Answer");
  node.append(element("div", "text"));
  return node;
}

function drawMessage(message, index) {
  const node = frame(message.role);
  const text = node.querySelector(".text");
  if (message.role === "user") {
    text.textContent = message.content;
  } else {
    text.append(markdown(message.content));
    drawNote(node, message, index);
  }
  return node;
}

// What stands under an answer: what changed it, what it took, and what can be done about it.
function drawNote(node, message, index) {
  node.querySelector(".note")?.remove();
  node.querySelector(":scope > .error")?.remove();
  if (message.failed) {
    const problem = element("div", "error", message.failed);
    problem.setAttribute("role", "alert");
    node.append(problem);
  }
  const line = element("div", "note");
  line.append(...editChips(message.edits ?? [], (id) => { toggle("edits", true); showEdits(id); }));
  for (const fact of message.notes ?? []) line.append(element("span", "", fact));
  if (index === talk.messages.length - 1) {
    line.append(button(message.failed && !message.content ? "Try again" : "Answer again", "", () => regenerate()));
  }
  if (message.content) line.append(copyButton(() => message.content, "Copy the answer"));
  const question = talk.questionOf(index);
  if (question && message.content) {
    const opener = button("Correct this", "correct", () => correct(node, question, opener));
    if (model && model.meta.edits === false) {
      opener.disabled = true;
      opener.title = "This server accepts no corrections; start it without --no-edits";
    }
    line.append(opener);
  }
  node.append(line);
}

const reasons = {
  router: "written as usual: the question does not ask for a list",
  bad_skeleton: "written as usual: the skeleton was not usable",
  normal_was_faster: "written as usual: the normal answer was complete first",
  no_room: "written as usual: the conversation leaves no room for a skeleton",
  limit: "written as usual: the limit of tokens leaves no room for a skeleton",
  edit: "written as usual: a correction answers it",
  failed: "written as usual: the skeleton failed",
};

// Only what was measured: the whole time from the question to the end, and the server's own counts.
function facts(news, usage, seconds, stopped) {
  const time = seconds.toFixed(1) + " s";
  if (stopped) return [`stopped after ${time}`];
  const notes = [];
  const tokens = usage ? `${usage.completion_tokens} ${usage.completion_tokens === 1 ? "token" : "tokens"}` : "";
  if (news?.used_skeleton) {
    notes.push(`${news.points.length} points from a skeleton, ${tokens ? tokens + " in " : ""}${time}`);
  } else {
    if (news && reasons[news.reason]) notes.push(reasons[news.reason]);
    notes.push(tokens ? `${tokens} in ${time}` : time);
  }
  return notes;
}

// ---- asking

function request() {
  const system = $("system").value.trim();
  const body = {
    messages: [...(system ? [{ role: "system", content: system }] : []), ...talk.history],
    stream: true,
    stream_options: { include_usage: true },
    temperature: Number($("temperature").value),
    top_p: Number($("top-p").value),
    repetition_penalty: Number($("repetition").value),
    max_tokens: Number($("max-tokens").value),
    martlet: { skeleton: $("skeleton").value, events: true },
  };
  if ($("seed").value !== "") body.seed = Number($("seed").value);
  return body;
}

// Draws a growing text now and then, and never more often than its drawing costs. Blocks that are whole are left as they
// stand; at the end all is drawn once more.
class Drawing {
  constructor(node) {
    this.node = node;
    this.pause = 40;
    this.standing = 0; // characters that are drawn for good
    this.nodes = 0; // and what they became
  }
  show(content) {
    this.content = content;
    this.timer ??= setTimeout(() => this.draw(), this.pause);
  }
  draw() {
    this.timer = null;
    const started = performance.now();
    const whole = this.standing + wholeBlocks(this.content.slice(this.standing));
    const put = (text) => {
      while (this.node.childNodes.length > this.nodes) this.node.lastChild.remove();
      this.node.append(markdown(text));
    };
    keepAtEnd(() => {
      if (whole > this.standing) {
        put(this.content.slice(this.standing, whole));
        this.standing = whole;
        this.nodes = this.node.childNodes.length;
      }
      put(this.content.slice(this.standing));
    });
    this.pause = Math.min(1000, Math.max(40, 5 * (performance.now() - started)));
  }
  finish() {
    clearTimeout(this.timer);
    keepAtEnd(() => this.node.replaceChildren(markdown(this.content ?? "")));
  }
}

// The length of the blocks in front to which nothing can be added: up to a blank line before plain words, outside code.
function wholeBlocks(text) {
  let end = 0;
  for (const match of text.matchAll(/\n\n(?=[\p{L}#])/gu)) {
    const fences = text.slice(end, match.index).match(/^ {0,3}(```|~~~)/gm);
    if (!fences || fences.length % 2 === 0) end = match.index + 2;
  }
  return end;
}

async function answer() {
  const here = talk;
  const node = frame("assistant");
  const text = node.querySelector(".text");
  text.classList.add("waiting");
  keepAtEnd(() => view.append(node));
  const skeleton = new SkeletonView(text), drawing = new Drawing(text);
  running = new AbortController();
  const { signal } = running;
  setRunning(true);
  const started = performance.now();
  const message = { role: "assistant", content: "", notes: [], edits: [] };
  let news = null, usage = null, reason = null;
  try {
    for await (const event of stream("v1/chat/completions", request(), signal)) {
      if (event.martlet) {
        for (const id of editsOf(event.martlet)) if (!message.edits.includes(id)) message.edits.push(id);
        if (event.martlet.event === "finished") news = event.martlet;
        else keepAtEnd(() => skeleton.take(event.martlet));
      }
      usage = event.usage ?? usage;
      reason = event.choices?.[0]?.finish_reason ?? reason;
      const piece = event.choices?.[0]?.delta?.content;
      if (piece) {
        message.content += piece;
        drawing.show(message.content);
      }
    }
  } catch (problem) {
    if (problem.name !== "AbortError" && !signal.aborted) message.failed = problem.message;
  }
  message.notes = facts(news, usage, (performance.now() - started) / 1000, signal.aborted);
  if (message.failed) message.notes = [];
  if (reason === "length") message.notes.push("cut off at the limit of tokens");
  if (signal.aborted && !message.content) message.failed = "Stopped before anything was written.";
  running = null;
  setRunning(false);
  here.messages.push(message);
  if (here !== talk) {
    // The person has gone to another conversation.
    here.save();
    keep("martlet.current", talk.id);
    draw();
    drawList();
    return;
  }
  skeleton.end();
  drawing.finish();
  text.classList.remove("waiting");
  keepAtEnd(() => drawNote(node, message, talk.messages.length - 1));
  save();
  $("status").textContent = message.failed ?? "The answer is complete.";
  if (!document.activeElement || document.activeElement === document.body) input.focus();
}

// Numbers of the corrections that the server says have changed an answer, in whatever event it says so.
function editsOf(news) {
  const told = [news.edit, ...(Array.isArray(news.edits) ? news.edits : [])];
  return told.map((edit) => edit?.id).filter((id) => Number.isInteger(id));
}

function setRunning(isRunning) {
  $("send").hidden = isRunning;
  $("stop").hidden = !isRunning;
  view.setAttribute("aria-busy", isRunning);
  if (isRunning) $("status").textContent = "An answer is being written.";
}

// Buttons that concern the last answer only.
function endLastNote() {
  for (const node of view.querySelectorAll(".note button:not(.edited):not(.correct)")) {
    if (["Answer again", "Try again"].includes(node.textContent)) node.remove();
  }
}

function send() {
  const text = input.value.trim();
  if (!text || running) return;
  const problem = settingsProblem();
  if (problem) { $("status").textContent = problem; return; }
  if (talk.messages.length === 0) view.replaceChildren();
  endLastNote();
  talk.messages.push({ role: "user", content: text });
  save();
  view.append(drawMessage(talk.messages.at(-1)));
  view.scrollTop = view.scrollHeight;
  input.value = "";
  grow();
  answer();
}

function regenerate() {
  if (running || talk.messages.length === 0) return;
  if (talk.messages.at(-1).role === "assistant") {
    talk.messages.pop();
    view.lastElementChild.remove();
  }
  answer();
}

function startOver() {
  change(new store.Conversation());
  input.focus();
}

// ---- keys

function grow() {
  input.style.height = "auto";
  input.style.height = input.scrollHeight + 2 + "px";
}
input.addEventListener("input", grow);
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  }
});
const shortcuts = {
  KeyN: startOver,
  KeyS: () => openPanel("settings", () => $("system").focus()),
  KeyC: () => openPanel("edits"),
  KeyL: () => openPanel("list", () => $("conversations").querySelector("button")?.focus()),
  KeyR: regenerate,
};
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && running) running.abort();
  if (event.altKey && !event.ctrlKey && shortcuts[event.code]) {
    event.preventDefault();
    shortcuts[event.code]();
  }
});
$("form").addEventListener("submit", (event) => { event.preventDefault(); send(); });
$("stop").addEventListener("click", () => running?.abort());
$("new").addEventListener("click", startOver);

draw();
if (localStorage.getItem("martlet.list") && !narrow.matches) toggle("list", true);
showModel();
