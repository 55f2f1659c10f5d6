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

  // Sorting: the header becomes a button; equal rows keep their order. Keys are read from the page once.
  const value = (cell) => {
    const text = cell.dataset.sort ?? cell.textContent.trim();
    const number = Number(text);
    return text !== "" && Number.isFinite(number) ? number : text.toLowerCase();
  };
  const order = new Intl.Collator("en", { numeric: true });
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : order.compare(a, b));
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
      const sorted = rows.map((row) => [value(row.cells[column]), row]).sort(([a], [b]) => (down ? -1 : 1) * compare(a, b));
      body.append(...sorted.map(([, row]) => row));
    });
  });

  // Filtering: every word must occur; pressed chips of one kind are alternatives. The claims below follow the table.
  const entries = rows.map((row) => ({
    row,
    claim: document.getElementById(row.dataset.claim),
    text: row.textContent.toLowerCase(),
    paper: row.cells[0].dataset.sort.split("/")[0],
    evidence: row.cells[2].textContent,
    verdict: row.dataset.verdict,
    area: row.dataset.area,
  }));
  const choices = ["paper", "evidence"].map((name) => document.getElementById(name));
  const pressed = (name) => new Set(chips.filter((chip) => chip.ariaPressed === "true" && name in chip.dataset).map((chip) => chip.dataset[name]));
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const sets = ["verdict", "area"].map((name) => [name, pressed(name)]).filter(([, set]) => set.size);
    const unmet = pressed("unmet").size > 0;
    let count = 0;
    for (const entry of entries) {
      const keep =
        words.every((word) => entry.text.includes(word)) &&
        sets.every(([name, set]) => set.has(entry[name])) &&
        choices.every((choice) => !choice.value || entry[choice.id] === choice.value) &&
        (!unmet || !entry.row.classList.contains("met"));
      entry.row.hidden = entry.claim.hidden = !keep;
      count += keep;
    }
    shown.textContent = count === rows.length ? "" : `${count} of ${rows.length} shown`;
  };
  for (const choice of choices) choice.addEventListener("change", apply);
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
