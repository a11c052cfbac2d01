// Light or dark: as the system says, unless the person chose. The choice is kept in the browser and holds for every page.

import { $ } from "./dom.js";

const isDark = () => document.documentElement.dataset.theme
  ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  $("theme").setAttribute("aria-pressed", isDark());
}

export function keep(key, value) {
  try { localStorage.setItem(key, value); } catch { /* holds until the page is left */ }
}

export function startTheme() {
  setTheme(localStorage.getItem("martlet.theme"));
  $("theme").addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    setTheme(theme);
    keep("martlet.theme", theme);
  });
}
