// Corrections: under each answer, and the list of all that are in force.

import { $, element, button } from "./dom.js";
import { call, sentence } from "./server.js";

// Opens the form under an answer.
export function correct(node, question, opener) {
  if (node.querySelector(".correction")) return;
  const form = element("form", "correction");
  const label = element("label", "", "The correct answer to “" + (question.length > 200 ? question.slice(0, 200) + "…" : question) + "”");
  const field = element("input");
  field.required = true;
  field.autocomplete = "off";
  label.append(field);
  const save = element("button", "", "Save");
  const close = () => { form.remove(); opener.focus(); };
  const cancel = button("Cancel", "", close);
  form.append(label, save, cancel);
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    save.disabled = cancel.disabled = true;
    save.textContent = "Learning…";
    form.querySelector(".error")?.remove();
    try {
      const result = await call("POST", "martlet/edits", { prompt: question, answer: field.value });
      const text = result.outcome === "made" ? `Correction ${result.edit.id} is in force; ask again to see it.`
        : result.outcome === "duplicate" ? "This correction is in force already." : "The model gives this answer already.";
      const line = element("div", "note saved", text);
      line.setAttribute("role", "status");
      form.replaceWith(line);
      opener.focus();
      showEdits();
    } catch (problem) {
      const line = element("div", "error", problem.message);
      line.setAttribute("role", "alert");
      form.append(line);
      save.disabled = cancel.disabled = false;
      save.textContent = "Save";
      field.focus();
    }
  });
  node.append(form);
  form.scrollIntoView({ block: "nearest" });
  field.focus();
}

// What stands under an answer that corrections changed.
export function editChips(ids, show) {
  return ids.map((id) => {
    const chip = button(`Changed by correction ${id}`, "edited", () => show(id), `This answer was changed by correction ${id}; show it`);
    // Its words, where the server still has it.
    call("GET", "martlet/edits").then(({ data }) => {
      const edit = data.find((edit) => edit.id === id);
      if (!edit) return;
      chip.title = `“${edit.prompt}” → “${edit.answer}”`;
      if (edit.status !== "live") chip.textContent = `Was changed by correction ${id}, since taken back`;
    }).catch(() => {});
    return chip;
  });
}

// Fills the list, if it is open; one correction can be pointed out.
export async function showEdits(shown) {
  if ($("edits").hidden) return;
  try {
    const { data } = await call("GET", "martlet/edits?status=live");
    $("edit-list").replaceChildren(...data.map(line));
    if (data.length === 0) $("edit-list").append(element("li", "quiet", "There are none yet; each answer has “Correct this”."));
    const wanted = shown && $("edit-" + shown);
    if (wanted) {
      wanted.classList.add("wanted");
      wanted.scrollIntoView({ block: "nearest" });
      wanted.querySelector("button").focus();
    }
  } catch (problem) {
    $("edit-list").replaceChildren(element("li", "error", sentence(problem.message)));
  }
}

function line(edit) {
  const node = element("li");
  node.id = "edit-" + edit.id;
  const undo = button("Undo", "", async () => {
    undo.disabled = true;
    node.querySelector(".error")?.remove();
    try {
      await call("DELETE", "martlet/edits/" + edit.id);
      await showEdits();
    } catch (problem) {
      undo.disabled = false;
      node.append(element("span", "error", problem.message));
    }
  }, `Undo correction ${edit.id}`);
  node.append(element("span", "quiet", edit.id), element("span", "question", edit.prompt), element("span", "answer", edit.answer), undo);
  return node;
}
