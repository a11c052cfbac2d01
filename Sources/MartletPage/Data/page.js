// The page of `martlet serve`: a conversation, its settings, and the skeleton view. No request leaves the server's origin.
"use strict";

const $ = (id) => document.getElementById(id);
const conversation = $("conversation"), input = $("input");
let messages = []; // {role, content}
let running = null; // AbortController of the answer that is being written
let normalRate = null; // tokens a second of the last answer written as usual

// ---- settings: kept in the browser

const kept = ["system", "skeleton", "temperature", "top-p", "repetition", "max-tokens", "seed", "key"];
for (const id of kept) {
  const value = localStorage.getItem("martlet." + id);
  if (value !== null) $(id).value = value;
  $(id).addEventListener("change", () => localStorage.setItem("martlet." + id, $(id).value));
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
setTheme(localStorage.getItem("martlet.theme"));
$("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  setTheme(dark ? "light" : "dark");
  localStorage.setItem("martlet.theme", dark ? "light" : "dark");
});

function toggleSettings() {
  const open = $("settings").hidden;
  $("settings").hidden = !open;
  $("toggle-settings").setAttribute("aria-expanded", open);
  if (open) $("system").focus(); else input.focus();
}
$("toggle-settings").addEventListener("click", toggleSettings);

function headers() {
  const key = $("key").value.trim();
  return { "Content-Type": "application/json", ...(key ? { Authorization: "Bearer " + key } : {}) };
}

async function showModel() {
  try {
    const reply = await fetch("v1/models", { headers: headers() });
    const body = await reply.json();
    if (!reply.ok) throw new Error(body.error.message);
    const model = body.data[0];
    $("model").textContent = `${model.id} · ${model.meta.architecture} · ${Math.round(model.meta.n_params / 1e6)}M`;
  } catch (problem) {
    $("model").textContent = problem.message;
  }
}
$("key").addEventListener("change", showModel);
showModel();

// ---- drawing

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

const atEnd = () => conversation.scrollHeight - conversation.scrollTop - conversation.clientHeight < 60;
function keepAtEnd(change) {
  const follow = atEnd();
  change();
  if (follow) conversation.scrollTop = conversation.scrollHeight;
}

function addMessage(role, text) {
  const node = element("div", "message " + role);
  node.append(element("div", "text", text));
  keepAtEnd(() => conversation.append(node));
  return node;
}

function showEmpty() {
  conversation.replaceChildren(element("p", "empty", "Ask something. Long answers come as a skeleton whose points fill in side by side."));
}

function note(node, parts) {
  node.querySelector(".note")?.remove();
  const line = element("div", "note");
  for (const [text, className] of parts) line.append(element("span", className || "", text));
  const again = element("button", "", "Answer again");
  again.type = "button";
  again.addEventListener("click", regenerate);
  const copy = element("button", "", "Copy");
  copy.type = "button";
  copy.addEventListener("click", () => navigator.clipboard?.writeText(node.dataset.answer || ""));
  line.append(again, copy);
  const question = messages.findLast((message) => message.role === "user")?.content;
  if (question && node.dataset.answer) {
    const correct = element("button", "correct", "Correct this answer");
    correct.type = "button";
    correct.addEventListener("click", () => correction(node, question, correct));
    line.append(correct);
  }
  keepAtEnd(() => node.append(line));
  for (const old of conversation.querySelectorAll(".note button")) old.hidden = !line.contains(old);
}

// ---- corrections

async function call(method, path, body) {
  const reply = await fetch(path, { method, headers: headers(), body: body && JSON.stringify(body) });
  const result = await reply.json();
  if (!reply.ok) throw new Error(result.error.message);
  return result;
}

function correction(node, question, opener) {
  if (node.querySelector(".correction")) return;
  const form = element("form", "correction");
  const label = element("label", "", "What it should say to “" + question + "”");
  const field = element("input");
  field.required = true;
  label.append(field);
  const save = element("button", "", "Save");
  const cancel = element("button", "", "Cancel");
  cancel.type = "button";
  const close = () => { form.remove(); opener.focus(); };
  cancel.addEventListener("click", close);
  form.append(label, save, cancel);
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    save.disabled = cancel.disabled = true;
    save.textContent = "Learning…";
    node.querySelector(".error")?.remove();
    try {
      const result = await call("POST", "martlet/edits", { prompt: question, answer: field.value });
      form.replaceWith(element("div", "note saved", result.outcome === "made"
        ? `Correction ${result.edit.id} is in force (${result.edit.seconds.toFixed(1)} s)`
        : result.outcome === "duplicate" ? "This correction is in force already" : "The model says so by itself"));
      showEdits();
    } catch (problem) {
      form.append(element("div", "error", problem.message));
      save.disabled = cancel.disabled = false;
      save.textContent = "Save";
    }
  });
  keepAtEnd(() => node.append(form));
  field.focus();
}

async function showEdits() {
  if ($("edits").hidden) return;
  try {
    const { data } = await call("GET", "martlet/edits?status=live");
    $("edit-list").replaceChildren(...data.map((edit) => {
      const line = element("li");
      const undo = element("button", "", "Undo");
      undo.title = "Takes correction " + edit.id + " back";
      undo.addEventListener("click", async () => {
        undo.disabled = true;
        try { await call("DELETE", "martlet/edits/" + edit.id); await showEdits(); } catch (problem) {
          line.append(element("span", "error", problem.message));
        }
      });
      line.append(element("span", "quiet", edit.id), element("span", "question", edit.prompt),
        element("span", "answer", edit.answer), undo);
      return line;
    }));
    if (data.length === 0) $("edit-list").append(element("li", "quiet", "None yet: “Correct this answer” stands under each reply."));
  } catch (problem) {
    $("edit-list").replaceChildren(element("li", "error", problem.message));
  }
}

function toggleEdits() {
  const open = $("edits").hidden;
  $("edits").hidden = !open;
  $("toggle-edits").setAttribute("aria-expanded", open);
  if (open) showEdits();
}
$("toggle-edits").addEventListener("click", toggleEdits);

// ---- the skeleton view

class SkeletonView {
  constructor(node) {
    this.node = node;
    this.draft = "";
    this.points = new Map();
  }
  begin() {
    if (this.grid) return;
    this.grid = element("div", "skeleton");
    this.draftNode = element("div", "draft waiting", "");
    this.grid.append(this.draftNode);
    this.node.querySelector(".text").hidden = true;
    this.node.insertBefore(this.grid, this.node.querySelector(".text"));
  }
  take(news) {
    switch (news.event) {
      case "skeleton_text":
        this.begin();
        this.draft += news.text;
        this.draftNode.textContent = this.draft.trimStart();
        break;
      case "skeleton":
        this.begin();
        this.draftNode.remove();
        for (const point of news.points) {
          const box = element("div", "point");
          box.append(element("b", "", `${point.index}. ${point.head}`));
          const text = element("span", "waiting", "");
          box.append(text);
          this.grid.append(box);
          this.points.set(point.index, { box, text });
        }
        break;
      case "point":
        this.points.get(news.index).text.append(news.text);
        break;
      case "point_ended": {
        const point = this.points.get(news.index);
        point.text.classList.remove("waiting");
        point.box.classList.add("done");
        break;
      }
      case "normal":
        this.grid?.remove();
        this.grid = null;
        this.node.querySelector(".text").hidden = false;
        break;
    }
  }
  end() {
    for (const { text } of this.points.values()) text.classList.remove("waiting");
    this.draftNode?.classList.remove("waiting");
  }
}

const reasons = {
  router: "written as usual: the question does not ask for a list",
  bad_skeleton: "written as usual: the skeleton was no good",
  normal_was_faster: "written as usual: that was faster",
};

function finishedNote(node, news, tokens, seconds, stopped) {
  const parts = [];
  if (node.dataset.edit) parts.push([`correction ${node.dataset.edit}`, "saved"]);
  if (stopped) parts.push(["stopped"]);
  if (news && news.used_skeleton) {
    const total = news.skeleton_tokens + news.point_tokens;
    parts.push([`${news.points.length} points in ${news.seconds.toFixed(1)} s (skeleton ${news.skeleton_seconds.toFixed(1)} s, points together ${news.point_seconds.toFixed(1)} s)`]);
    const longest = Math.max(...news.points.map((p) => p.tokens));
    // One after the other, the same words take as many steps as there are tokens.
    if (normalRate) {
      const saved = total / normalRate - news.seconds;
      if (saved > 0.05) parts.push([`about ${saved.toFixed(1)} s saved`, "saved"]);
    } else if (news.point_tokens > longest) {
      parts.push([`${news.point_tokens} tokens in the time of ${longest}`, "saved"]);
    }
  } else {
    if (news && reasons[news.reason]) parts.push([reasons[news.reason]]);
    if (tokens && seconds) {
      normalRate = tokens / seconds;
      parts.push([`${tokens} tokens in ${seconds.toFixed(1)} s`]);
    }
  }
  note(node, parts);
}

// ---- asking

function request() {
  const system = $("system").value.trim();
  const body = {
    messages: [...(system ? [{ role: "system", content: system }] : []), ...messages],
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

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const parts = rest.split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      if (!part.startsWith("data: ")) continue;
      const data = part.slice(6);
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  }
}

async function answer() {
  const node = addMessage("assistant", "");
  const text = node.querySelector(".text");
  text.classList.add("waiting");
  const view = new SkeletonView(node);
  running = new AbortController();
  setRunning(true);
  let content = "", news = null, fired = null, tokens = 0, first = null, stopped = false, failed = null;
  try {
    const response = await fetch("v1/chat/completions", {
      method: "POST", headers: headers(), body: JSON.stringify(request()), signal: running.signal,
    });
    if (!response.ok) throw new Error((await response.json()).error.message);
    for await (const event of events(response)) {
      if (event.error) throw new Error(event.error.message);
      keepAtEnd(() => {
        if (event.martlet) {
          if (event.martlet.event === "edit") fired = event.martlet.edit;
          else if (event.martlet.event === "finished") news = event.martlet;
          else view.take(event.martlet);
        }
        if (event.usage) tokens = event.usage.completion_tokens;
        const piece = event.choices[0]?.delta?.content;
        if (piece) {
          first ??= performance.now();
          content += piece;
          text.textContent = content;
        }
      });
    }
  } catch (problem) {
    if (problem.name === "AbortError") stopped = true;
    else failed = problem.message;
  }
  text.classList.remove("waiting");
  view.end();
  running = null;
  setRunning(false);
  node.dataset.answer = content;
  if (failed) {
    node.append(element("div", "error", failed));
    note(node, []);
  } else {
    if (fired) node.dataset.edit = fired.id;
    finishedNote(node, news, tokens, first ? (performance.now() - first) / 1000 : 0, stopped);
  }
  messages.push({ role: "assistant", content });
  input.focus();
}

function setRunning(isRunning) {
  $("send").hidden = isRunning;
  $("stop").hidden = !isRunning;
}

function send() {
  const text = input.value.trim();
  if (!text || running) return;
  if (messages.length === 0) conversation.replaceChildren();
  messages.push({ role: "user", content: text });
  addMessage("user", text);
  conversation.scrollTop = conversation.scrollHeight;
  input.value = "";
  grow();
  answer();
}

function regenerate() {
  if (running || messages.length === 0) return;
  if (messages[messages.length - 1].role === "assistant") {
    messages.pop();
    conversation.lastElementChild.remove();
  }
  answer();
}

function startOver() {
  running?.abort();
  messages = [];
  showEmpty();
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
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && running) running.abort();
  if (event.altKey && event.code === "KeyN") { event.preventDefault(); startOver(); }
  if (event.altKey && event.code === "KeyS") { event.preventDefault(); toggleSettings(); }
  if (event.altKey && event.code === "KeyC") { event.preventDefault(); toggleEdits(); }
  if (event.altKey && event.code === "KeyR") { event.preventDefault(); regenerate(); }
});
$("form").addEventListener("submit", (event) => { event.preventDefault(); send(); });
$("stop").addEventListener("click", () => running?.abort());
$("new").addEventListener("click", startOver);

showEmpty();
