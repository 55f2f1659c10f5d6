"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const chips = all(".chip");

  for (const element of all(".controls, .copy")) element.hidden = false;

  // Sorting: the header becomes a button; equal rows keep their order.
  const value = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.sort ?? cell.textContent.trim();
    const number = Number(text);
    return text !== "" && Number.isFinite(number) ? number : text.toLowerCase();
  };
  const compare = (a, b) => (typeof a === typeof b && typeof a === "number" ? a - b : String(a).localeCompare(String(b)));
  Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sorted = rows.slice().sort((a, b) => (down ? -1 : 1) * compare(value(a, column), value(b, column)));
      body.append(...sorted);
    });
  });

  // Filtering: every word must occur; pressed verdicts are alternatives. The claims below follow the table.
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = new Set(chips.filter((chip) => chip.ariaPressed === "true" && chip.dataset.verdict).map((chip) => chip.dataset.verdict));
    const unmet = chips.some((chip) => chip.ariaPressed === "true" && "unmet" in chip.dataset);
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const keep =
        words.every((word) => text.includes(word)) &&
        (verdicts.size === 0 || verdicts.has(row.dataset.verdict)) &&
        (!unmet || !row.classList.contains("met"));
      row.hidden = !keep;
      document.getElementById(row.dataset.claim).hidden = !keep;
      count += keep;
    }
    shown.textContent = count === rows.length ? "" : `${count} of ${rows.length} shown`;
  };
  filter.addEventListener("input", apply);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.ariaPressed = chip.ariaPressed === "true" ? "false" : "true";
      apply();
    });
  }

  // A link to a claim opens it.
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) {
      target.open = true;
      target.hidden = false;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", follow);
  for (const link of all('a[href^="#"]')) link.addEventListener("click", () => setTimeout(follow));
  follow();

  const claims = all("details.claim");
  const setAll = (open) => claims.forEach((claim) => { claim.open = open; });
  document.getElementById("open-all").addEventListener("click", () => setAll(true));
  document.getElementById("close-all").addEventListener("click", () => setAll(false));
  let before = [];
  addEventListener("beforeprint", () => {
    before = claims.filter((claim) => !claim.open);
    setAll(true);
  });
  addEventListener("afterprint", () => before.forEach((claim) => { claim.open = false; }));

  // Copying: the clipboard where the browser grants it, a selection to copy by hand where it does not.
  for (const button of all(".copy")) {
    const code = button.parentElement.querySelector("code");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
  }
})();
