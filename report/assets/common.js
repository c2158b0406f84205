"use strict";
// What all pages do: light and dark, the colours of charts, tables that sort, columns of numbers.
const common = (() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let figures = [];
  let painted = () => {};

  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";

  // A candle that rises is hollow, one that falls is full: colour is left to the trades.
  const candle = (name, glyph) => ({
    line_color: colour("candle"),
    ...(glyph.fill_color !== undefined && { fill_color: colour(name === "rise" ? "paper" : "candle") }),
  });

  const series = (name, glyph) => ({
    ...(glyph.line_color !== undefined && { line_color: colour(name.endsWith("_mark") ? "paper" : name) }),
    ...(glyph.fill_color !== undefined && { fill_color: colour(name.replace("_mark", "")) }),
    ...(glyph.text_color !== undefined && { text_color: colour("ink"), background_fill_color: colour("paper") }),
  });

  function paintChart(figure) {
    const [ink, rule] = [colour("muted"), colour("rule")];
    for (const axis of [...figure.below, ...figure.left]) {
      axis.setv({ major_label_text_color: ink, axis_line_color: axis.axis_line_color && rule, major_tick_line_color: axis.major_tick_line_color && rule });
    }
    for (const part of figure.center) {
      if (part.grid_line_color !== undefined && part.grid_line_color !== null) part.grid_line_color = rule;
      if (part.text_color !== undefined) part.text_color = colour("ink");
    }
    for (const renderer of figure.renderers) {
      const { glyph, name } = renderer;
      if (name !== null) glyph.setv(name === "rise" || name === "fall" ? candle(name, glyph) : series(name, glyph));
    }
  }

  function paint() {
    const button = $("theme");
    button.hidden = false;
    button.textContent = isDark() ? "light" : "dark";
    figures.forEach(paintChart);
    painted();
  }

  // The charts that are painted from now on, and what else is to be done when colours change.
  function show(charts, after = () => {}) {
    figures = charts;
    painted = after;
    paint();
  }

  $("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    paint();
  });
  dark.addEventListener("change", paint);

  // Numbers as `packing.py` writes them.
  const numbers = (text, Kind = Float32Array) => new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);

  function sortTable(table) {
    const heads = [...table.tHead.rows[0].cells];
    const number = (text) => parseFloat(text.replaceAll(",", "").replace("−", "-"));
    const sort = (head, place) => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      const isText = head.classList.contains("text");
      const key = (row) => (isText ? row.cells[place].textContent : number(row.cells[place].textContent));
      const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
      const [known, unknown] = [rows.filter(([value]) => value === value), rows.filter(([value]) => value !== value)];
      known.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (rising ? 1 : -1));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      table.tBodies[0].append(...[...known, ...unknown].map(([, row]) => row)); // a dash stays below
    };
    heads.forEach((head, place) => {
      head.tabIndex = 0;
      head.addEventListener("click", () => sort(head, place));
      head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(head, place); });
    });
  }

  paint();
  document.querySelectorAll("table.sortable").forEach(sortTable);
  return { $, root, colour, numbers, show };
})();
