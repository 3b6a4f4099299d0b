"""The script of a page: what makes its use easier, and nothing that is missed without it.

It keeps the ticks of the runbook over a reload, says how many steps are done, copies commands, and opens the ways back
for a printer whose browser does not do so by the style sheet. The page is XML, too: no ``<`` and no ``&`` in here.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

SCRIPT = """
"use strict";
(() => {
  const all = (what, inside = document) => [...inside.querySelectorAll(what)];
  const make = (tag, text, className) => Object.assign(document.createElement(tag), { textContent: text, className });

  // A plan that was made anew with other steps begins without ticks, and so does a copy of the page elsewhere.
  const key = ["migrate02 plan", document.body.dataset.plan, location.pathname].join(" ");
  const boxes = all(".runbook input");
  const stored = () => {
    try { return JSON.parse(localStorage.getItem(key)) || []; } catch { return []; }
  };
  const store = () => {
    const ticked = boxes.flatMap((box, at) => box.checked ? [at] : []);
    try {
      if (ticked.length) localStorage.setItem(key, JSON.stringify(ticked)); else localStorage.removeItem(key);
    } catch { /* a browser that keeps nothing */ }
  };
  const counts = all(".runbook").map(list => {
    const line = make("p", "", "done");
    const text = make("span", "");
    const clear = make("button", "Clear the ticks");
    const own = all("input", list);
    clear.type = "button";
    clear.onclick = () => { own.forEach(box => { box.checked = false; }); store(); count(); };
    line.append(text, clear);
    list.before(line);
    return () => {
      const done = own.filter(box => box.checked).length;
      text.textContent = `${done} of ${own.length} steps done`;
      clear.hidden = done === 0;
    };
  });
  const count = () => counts.forEach(each => each());
  const restore = () => {
    const ticked = stored();
    boxes.forEach((box, at) => { box.checked = ticked.includes(at); });
    count();
  };
  boxes.forEach(box => box.addEventListener("change", () => { store(); count(); }));
  addEventListener("storage", restore);
  addEventListener("pageshow", restore);
  restore();

  const copied = text => {
    const area = make("textarea", text, "aside");
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("not copied"));
  };
  const copy = text =>
    navigator.clipboard ? navigator.clipboard.writeText(text).catch(() => copied(text)) : copied(text);
  const button = (name, label, text) => {
    const made = make("button", name, "copy");
    made.type = "button";
    made.setAttribute("aria-label", label);
    made.onclick = () => copy(text).then(() => "Copied", () => "Not copied").then(said => {
      made.textContent = said;
      heard.textContent = said;
      setTimeout(() => { made.textContent = name; heard.textContent = ""; }, 1500);
    });
    return made;
  };
  const heard = make("p", "", "aside");
  heard.setAttribute("role", "status");
  document.querySelector("main").append(heard);
  all(".lines").forEach(block => {
    const lines = all("pre", block);
    const texts = lines.map(line => line.textContent);
    const isWork = text => text.startsWith("#");
    lines.forEach((line, at) => {
      if (!isWork(texts[at])) line.prepend(button("Copy", `Copy: ${texts[at]}`, texts[at]));
    });
    if (lines.length > 1) if (!texts.some(isWork))
      block.append(button(`Copy all ${lines.length}`, `Copy all ${lines.length} lines`, texts.join("\\n")));
  });

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    opened.forEach(each => { each.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach(each => { each.open = false; }));
})();
"""

_HASH = b64encode(sha256(SCRIPT.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_HASH}'; "
    "base-uri 'none'; form-action 'none'"
)
"""Content-Security-Policy: nothing is fetched, and no other script runs, whatever the texts of a plan hold."""
