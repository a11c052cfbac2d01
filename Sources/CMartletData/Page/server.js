// Requests to the server that the page came from; none goes elsewhere. What goes wrong becomes a sentence.

import { $ } from "./dom.js";

function headers() {
  const key = $("key").value.trim();
  return { "Content-Type": "application/json", ...(key ? { Authorization: "Bearer " + key } : {}) };
}

async function send(method, path, body, signal) {
  let reply;
  try {
    reply = await fetch(path, { method, headers: headers(), body: body && JSON.stringify(body), signal });
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new Error("The server cannot be reached; check that martlet serve is still running.");
  }
  if (reply.ok) return reply;
  let message = "";
  try { message = (await reply.json()).error.message; } catch { /* said nothing that can be read */ }
  if (reply.status === 401) message = "The server requires an API key; enter it under Settings.";
  const problem = new Error(sentence(message || `The server answered ${reply.status} without saying why`));
  problem.status = reply.status;
  throw problem;
}

// Begins like a sentence and ends like one.
export function sentence(text) {
  const trimmed = String(text).trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

export async function call(method, path, body) {
  const reply = await send(method, path, body);
  try { return await reply.json(); } catch { throw new Error("The server's answer cannot be read."); }
}

// Events of a streamed answer, in their order.
export async function* stream(path, body, signal) {
  const reply = await send("POST", path, body, signal);
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", isWhole = false;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      rest += value;
      const parts = rest.split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        if (!part.startsWith("data: ")) continue;
        const data = part.slice(6);
        if (data === "[DONE]") { isWhole = true; return; }
        const event = JSON.parse(data);
        if (event.error) throw new Error(sentence(event.error.message ?? "The answer was cut off"));
        yield event;
      }
    }
  } catch (problem) {
    if (problem instanceof TypeError) throw new Error("The connection was lost during the answer; the part that arrived is kept.");
    throw problem;
  } finally {
    if (!isWhole) reader.cancel().catch(() => {});
  }
  if (!isWhole) throw new Error("The connection was lost during the answer; the part that arrived is kept.");
}
