// Elements of the page. Text goes in as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

export function button(text, className, action, label) {
  const node = element("button", className, text);
  node.type = "button";
  if (label) node.setAttribute("aria-label", label);
  node.addEventListener("click", () => action(node));
  return node;
}

// Copying, with a word about it on the button.
export function copyButton(text, label) {
  return button("Copy", "", async (node) => {
    try {
      await navigator.clipboard.writeText(text());
      node.textContent = "Copied";
    } catch {
      node.textContent = "Not allowed";
    }
    setTimeout(() => { node.textContent = "Copy"; }, 1500);
  }, label);
}
