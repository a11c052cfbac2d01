// Markdown as elements: what models write of it, and nothing that runs. No text ever becomes markup, links go to http and
// https only, pictures are shown as links, and work is bounded: every character is looked at a few times.

import { element, copyButton } from "./dom.js";

const deepest = 12; // lists, quotations and emphasis inside each other
const longest = 4000; // longer lines are plain text

export function markdown(text) {
  const fragment = document.createDocumentFragment();
  blocks(text.replace(/\r\n?/g, "\n").split("\n"), fragment, 0);
  return fragment;
}

// ---- blocks

const fence = /^( {0,3})(`{3,}|~{3,})\s*([^`]*)$/;
const heading = /^ {0,3}(#{1,6})(?:\s+(.*))?$/;
const rule = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const item = /^( *)([-*+•]|\d{1,9}[.)])(?:\s+(.*)|)$/;
const tableRule = /^ {0,3}\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function blocks(lines, parent, depth) {
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    if (!line.trim()) { at++; continue; }
    let match;
    if (line.length > longest) {
      parent.append(inline(element("p"), line, 0));
      at++;
    } else if ((match = fence.exec(line))) {
      at = code(lines, at, match, parent);
    } else if ((match = heading.exec(line))) {
      // The page has its own h1.
      const title = (match[2] || "").trimEnd().replace(/(^|\s)#+$/, "");
      parent.append(inline(element("h" + Math.min(6, match[1].length + 1)), title, 0));
      at++;
    } else if (rule.test(line)) {
      parent.append(element("hr"));
      at++;
    } else if (/^ {0,3}>/.test(line) && depth < deepest) {
      const inner = [];
      while (at < lines.length && /^ {0,3}>/.test(lines[at])) inner.push(lines[at++].replace(/^ {0,3}> ?/, ""));
      const quote = element("blockquote");
      blocks(inner, quote, depth + 1);
      parent.append(quote);
    } else if (item.test(line) && depth < deepest) {
      at = list(lines, at, parent, depth);
    } else if (line.includes("|") && at + 1 < lines.length && lines[at + 1].length < 500 && tableRule.test(lines[at + 1])) {
      at = table(lines, at, parent);
    } else {
      const words = [];
      while (at < lines.length && lines[at].trim() && !(words.length && begins(lines[at], depth))) words.push(lines[at++]);
      parent.append(inline(element("p"), words.join("\n"), 0));
    }
  }
}

function begins(line, depth) {
  if (line.length > longest) return true;
  return fence.test(line) || heading.test(line) || rule.test(line)
    || (depth < deepest && (/^ {0,3}>/.test(line) || /^ {0,3}([-*+•]|1[.)])\s+\S/.test(line)));
}

function code(lines, at, open, parent) {
  const text = [];
  const indent = open[1].length;
  for (at++; at < lines.length; at++) {
    const close = /^ {0,3}(`{3,}|~{3,})\s*$/.exec(lines[at]);
    if (close && close[1][0] === open[2][0] && close[1].length >= open[2].length) { at++; break; }
    text.push(lines[at].slice(Math.min(indent, lines[at].length - lines[at].trimStart().length)));
  }
  const box = element("div", "code");
  const language = open[3].trim().split(/\s/)[0].slice(0, 30);
  const bar = element("div", "bar");
  bar.append(element("span", "", language), copyButton(() => text.join("\n"), "Copy the code"));
  const pre = element("pre");
  pre.tabIndex = 0; // so that long lines can be scrolled by keys
  pre.append(element("code", "", text.join("\n")));
  box.append(bar, pre);
  parent.append(box);
  return at;
}

function list(lines, at, parent, depth) {
  const first = item.exec(lines[at]);
  const base = first[1].length;
  const isOrdered = /\d/.test(first[2]);
  const node = element(isOrdered ? "ol" : "ul");
  if (isOrdered && parseInt(first[2]) !== 1) node.start = parseInt(first[2]);
  while (at < lines.length) {
    const match = item.exec(lines[at]);
    if (!match || rule.test(lines[at]) || match[1].length > base + 1 || match[1].length < base || /\d/.test(match[2]) !== isOrdered) break;
    const inner = [match[3] || ""];
    let isLoose = false;
    for (at++; at < lines.length; at++) {
      const line = lines[at];
      const indent = line.length - line.trimStart().length;
      if (!line.trim()) { isLoose = true; inner.push(""); continue; }
      if (indent > base + 1) { inner.push(line.slice(Math.min(indent, base + match[2].length + 1))); isLoose = false; continue; }
      if (isLoose || item.test(line) || begins(line, depth)) break;
      inner.push(line);
    }
    const entry = element("li");
    blocks(inner, entry, depth + 1);
    // A single line needs no paragraph.
    if (entry.firstChild?.nodeName === "P") entry.firstChild.replaceWith(...entry.firstChild.childNodes);
    node.append(entry);
  }
  parent.append(node);
  return at;
}

function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split("|").slice(0, 40).map((cell) => cell.trim());
}

function table(lines, at, parent) {
  const box = element("div", "table");
  box.tabIndex = 0;
  const node = element("table");
  const head = element("tr");
  const titles = cells(lines[at]);
  for (const title of titles) head.append(inline(element("th"), title, 0));
  node.append(element("thead"));
  node.firstChild.append(head);
  const body = element("tbody");
  for (at += 2; at < lines.length && lines[at].includes("|"); at++) {
    const row = element("tr");
    for (const cell of cells(lines[at]).slice(0, titles.length)) row.append(inline(element("td"), cell, 0));
    body.append(row);
  }
  node.append(body);
  box.append(node);
  parent.append(box);
  return at;
}

// ---- text

// A place where something begins; what is not listed is text.
const special = /[\\`*_~[!<\n]|https?:\/\//g;

export function inline(parent, text, depth) {
  const closers = brackets(text);
  const pieces = []; // nodes, strings and open marks
  const marks = []; // places of open marks in `pieces`
  const ticks = new Map(); // lengths of back-ticks that were looked for in vain
  let at = 0;
  special.lastIndex = 0;
  while (at < text.length) {
    special.lastIndex = at;
    const found = special.exec(text);
    const stop = found ? found.index : text.length;
    if (stop > at) pieces.push(text.slice(at, stop));
    if (!found) break;
    at = stop;
    const sign = text[at];
    if (sign === "\\" && at + 1 < text.length && /[!-/:-@[-`{-~]/.test(text[at + 1])) {
      pieces.push(text[at + 1]);
      at += 2;
    } else if (sign === "\n") {
      pieces.push(element("br"));
      at++;
    } else if (sign === "`") {
      at = codeSpan(text, at, pieces, ticks);
    } else if (sign === "[" || (sign === "!" && text[at + 1] === "[")) {
      at = linkAt(text, sign === "!" ? at + 1 : at, closers, pieces, depth) ?? (pieces.push(sign), at + 1);
    } else if (sign === "<") {
      const match = /^<(https?:\/\/[^\s<>]{1,2000})>/.exec(text.slice(at, at + 2003));
      if (match) { pieces.push(link(match[1], match[1])); at += match[0].length; } else { pieces.push("<"); at++; }
    } else if (found[0].startsWith("http")) {
      const address = /^[^\s<>"'`]{1,2000}/.exec(text.slice(at, at + 2000))[0].replace(/[.,;:!?)\]*_]+$/, "");
      pieces.push(address.length > 8 ? link(address, address) : address);
      at += Math.max(1, address.length);
    } else if ("*_~".includes(sign)) {
      at = emphasis(text, at, pieces, marks);
    } else {
      pieces.push(sign);
      at++;
    }
  }
  for (const piece of pieces) parent.append(typeof piece === "object" && piece.mark ? piece.mark : piece);
  return parent;
}

function codeSpan(text, at, pieces, ticks) {
  let length = 1;
  while (text[at + length] === "`") length++;
  const run = "`".repeat(length);
  let end = ticks.get(length) === true ? -1 : at + length;
  while (end >= 0) {
    end = text.indexOf(run, end);
    if (end < 0 || (text[end + length] !== "`" && text[end - 1] !== "`")) break;
    while (text[end] === "`") end++;
  }
  if (end < 0) {
    ticks.set(length, true);
    pieces.push(run);
    return at + length;
  }
  pieces.push(element("code", "", text.slice(at + length, end).replace(/\n/g, " ").replace(/^ (.*) $/, "$1")));
  return end + length;
}

// Where each square bracket closes.
function brackets(text) {
  const closers = new Map();
  const open = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "[") open.push(at);
    else if (text[at] === "]" && open.length) closers.set(open.pop(), at);
  }
  return closers;
}

function linkAt(text, at, closers, pieces, depth) {
  const close = closers.get(at);
  if (close === undefined || text[close + 1] !== "(") return null;
  const match = /^\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+["'(][^\n]{0,300}?["')])?\s*\)/.exec(text.slice(close + 1, close + 2400));
  if (!match) return null;
  const label = text.slice(at + 1, close);
  const node = link(match[1], label);
  if (node.nodeName !== "A") return null;
  if (depth < 2 && label.length < 2000) { node.textContent = ""; inline(node, label.replace(/[[\]]/g, ""), depth + 2); }
  for (const inner of node.querySelectorAll("a")) inner.replaceWith(inner.textContent);
  pieces.push(node);
  return close + 1 + match[0].length;
}

function link(address, text) {
  let url = null;
  try { url = new URL(address); } catch { /* not whole: text */ }
  if (!url || !["http:", "https:"].includes(url.protocol) || !/^https?:\/\//i.test(address)) return document.createTextNode(text);
  const node = element("a", "", text);
  node.href = url.href;
  node.rel = "noopener noreferrer nofollow";
  node.target = "_blank";
  node.title = url.href;
  return node;
}

const tags = { "*": "em", _: "em", "**": "strong", __: "strong", "~~": "del" };

// A mark opens before a word and closes behind one.
function emphasis(text, at, pieces, marks) {
  const sign = text[at];
  let length = 1;
  while (text[at + length] === sign) length++;
  const next = at + length;
  // Longer runs are drawings.
  if (length > 3 || (sign === "~" && length !== 2)) { pieces.push(text.slice(at, next)); return next; }
  const before = text[at - 1] || " ", behind = text[next] || " ";
  const isWord = (c) => /[\p{L}\p{N}]/u.test(c);
  const opens = !/\s/.test(behind) && (sign !== "_" || !isWord(before)) && (!/\p{P}/u.test(behind) || !isWord(before));
  const closes = !/\s/.test(before) && (sign !== "_" || !isWord(behind)) && at > 0;
  let rest = length;
  while (closes && rest > 0 && marks.length) {
    // The innermost open mark that fits.
    let place = marks.length - 1;
    while (place >= 0 && !fits(pieces[marks[place]], sign, rest)) place--;
    if (place < 0) break;
    const start = marks[place], mark = pieces[start];
    const take = Math.min(2, mark.mark.length, rest);
    const inner = pieces.splice(start + 1).map((piece) => (piece.mark ? piece.mark : piece));
    marks.length = place;
    const node = element(tags[sign.repeat(take)] || "em");
    node.append(...inner);
    mark.mark = mark.mark.slice(take);
    if (mark.mark) marks.push(start); else pieces.pop();
    pieces.push(node);
    rest -= take;
  }
  if (rest > 0 && opens && marks.length < deepest) {
    marks.push(pieces.length);
    pieces.push({ mark: sign.repeat(rest) });
  } else if (rest > 0) {
    pieces.push(sign.repeat(rest));
  }
  return next;
}

function fits(piece, sign, rest) {
  return piece?.mark?.[0] === sign && (sign !== "~" || rest === 2) && (piece.mark.length === rest || piece.mark.length === 3 || rest === 3);
}
