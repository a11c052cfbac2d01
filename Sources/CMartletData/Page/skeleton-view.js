// The skeleton of an answer: first as the model drafts it, then its points side by side.

import { element } from "./dom.js";
import { markdown } from "./markdown.js";

export class SkeletonView {
  // `text` is where the answer stands when it is written as usual.
  constructor(text) {
    this.text = text;
    this.draft = "";
    this.points = new Map();
  }

  begin() {
    if (this.grid) return;
    this.grid = element("div", "skeleton");
    this.draftNode = element("div", "draft waiting");
    this.grid.append(this.draftNode);
    this.text.hidden = true;
    this.text.before(this.grid);
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
        for (const { index, head } of news.points) {
          const box = element("section", "point");
          box.setAttribute("aria-label", `Point ${index}`);
          const text = element("div", "waiting");
          box.append(element("b", "", `${index}. ${head}`), text);
          this.grid.append(box);
          this.points.set(index, { box, text, said: "" });
        }
        break;
      case "point": {
        const point = this.points.get(news.index);
        if (!point) break;
        point.said += news.text;
        point.text.textContent = point.said;
        break;
      }
      case "point_ended":
        this.finish(this.points.get(news.index), true);
        break;
      case "normal":
        this.grid?.remove();
        this.grid = null;
        this.points.clear();
        this.text.hidden = false;
        break;
    }
  }

  finish(point, isWhole) {
    if (!point) return;
    point.text.classList.remove("waiting");
    point.text.replaceChildren(markdown(point.said));
    if (isWhole) point.box.classList.add("done");
  }

  // The answer has ended, perhaps too early.
  end() {
    for (const point of this.points.values()) this.finish(point, point.box.classList.contains("done"));
    this.draftNode?.classList.remove("waiting");
    // A draft that was stopped is no answer.
    if (this.grid && this.points.size === 0) this.take({ event: "normal" });
  }
}
