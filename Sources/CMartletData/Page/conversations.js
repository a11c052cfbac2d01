// Conversations, kept in the browser under a key of their own each, so that two tabs do not overwrite each other's.

const prefix = "martlet.conversation.";
const most = 200; // the oldest leave

export class Conversation {
  constructor(stored = {}) {
    this.id = stored.id ?? crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.title = stored.title ?? "";
    this.updated = stored.updated ?? Date.now();
    this.messages = stored.messages ?? []; // {role, content, notes, edits, failed}
  }

  // What the model is told: answers that failed, and the questions to them, are left out.
  get history() {
    const told = [];
    for (const message of this.messages) {
      if (message.role === "assistant" && !message.content) {
        if (told.at(-1)?.role === "user") told.pop();
      } else {
        told.push({ role: message.role, content: message.content });
      }
    }
    return told;
  }

  get name() {
    return this.title || this.messages.find((message) => message.role === "user")?.content.trim().slice(0, 80) || "New conversation";
  }

  // The question that a message answers.
  questionOf(index) {
    for (let at = index - 1; at >= 0; at--) if (this.messages[at].role === "user") return this.messages[at].content;
    return null;
  }

  // - Returns: what is wrong with the browser's storage, or nothing.
  save() {
    if (this.messages.length === 0) return null;
    this.updated = Date.now();
    const text = JSON.stringify({ id: this.id, title: this.title, updated: this.updated, messages: this.messages });
    for (;;) {
      try {
        localStorage.setItem(prefix + this.id, text);
        localStorage.setItem("martlet.current", this.id);
        return null;
      } catch {
        // Full: the oldest of the others makes room.
        const oldest = all().filter((other) => other.id !== this.id).at(-1);
        if (!oldest) return "The browser cannot store more of this conversation: its storage is full or disabled.";
        remove(oldest.id);
      }
    }
  }
}

function read(key) {
  try {
    const stored = JSON.parse(localStorage.getItem(key));
    const isMessage = (message) => ["user", "assistant"].includes(message?.role) && typeof message.content === "string";
    if (typeof stored?.id !== "string" || !Array.isArray(stored.messages) || !stored.messages.every(isMessage)) return null;
    return new Conversation({ ...stored, title: String(stored.title ?? ""), updated: Number(stored.updated) || 0 });
  } catch {
    return null; // damaged by hand
  }
}

// The newest first.
export function all() {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  const found = keys.map(read).filter(Boolean).sort((a, b) => b.updated - a.updated);
  for (const old of found.splice(most)) remove(old.id);
  return found;
}

export const open = (id) => read(prefix + id);

export function current() {
  const id = localStorage.getItem("martlet.current");
  return (id && open(id)) || new Conversation();
}

export function forgetCurrent() { localStorage.removeItem("martlet.current"); }

export function remove(id) {
  localStorage.removeItem(prefix + id);
  if (localStorage.getItem("martlet.current") === id) forgetCurrent();
}

export const isConversationKey = (key) => key === null || key.startsWith(prefix);
