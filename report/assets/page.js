"use strict";
// Draws the charts, swaps in the finer lines on zoom, switches light and dark, sorts the trades.
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const DAY = 86400000;
  let figures = [];

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
  });

  function paintChart(figure) {
    const [ink, rule] = [colour("muted"), colour("rule")];
    for (const axis of [...figure.below, ...figure.left]) {
      axis.setv({ major_label_text_color: ink, axis_line_color: axis.axis_line_color && rule, major_tick_line_color: axis.major_tick_line_color && rule });
    }
    for (const grid of figure.center) {
      if (grid.grid_line_color !== undefined && grid.grid_line_color !== null) grid.grid_line_color = rule;
    }
    for (const renderer of figure.renderers) {
      const { glyph, name } = renderer;
      glyph.setv(name === "rise" || name === "fall" ? candle(name, glyph) : series(name, glyph));
    }
  }

  function paint() {
    const button = $("theme");
    button.hidden = false;
    button.textContent = isDark() ? "light" : "dark";
    figures.forEach(paintChart);
  }

  $("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    paint();
  });
  dark.addEventListener("change", paint);

  function decode(text, Kind) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Kind(bytes.buffer);
  }

  function firstFrom(values, bound) {
    let [low, high] = [0, values.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < bound) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // Draws what is in view of the coarse lines, or of the fine ones when zoomed in, so that the y-axes fit it.
  function levels(charts, documentModel) {
    const names = ["equity", "benchmark", "drawdown", "position"];
    const source = (name) => documentModel.get_model_by_name(`${name}_points`);
    const fine = {}, coarse = {};
    for (const name of names) {
      const { x, y } = source(name).data;
      coarse[name] = { x: Float64Array.from(x), y: Float32Array.from(y) };
    }
    const fineLine = (name) => {
      if (!charts.fine[name]) return coarse[name];
      if (!fine[name]) {
        const seconds = decode(charts.fine[name].x, Uint32Array);
        fine[name] = { x: Float64Array.from(seconds, (value) => charts.first + value * 1000), y: decode(charts.fine[name].y, Float32Array) };
      }
      return fine[name];
    };
    return (range) => {
      const zoomed = range.end - range.start < 0.6 * (charts.last - charts.first);
      for (const name of names) {
        const { x, y } = zoomed ? fineLine(name) : coarse[name];
        const [from, to] = [Math.max(firstFrom(x, range.start) - 1, 0), firstFrom(x, range.end) + 1];
        source(name).data = { x: x.subarray(from, to), y: y.subarray(from, to) };
      }
    };
  }

  function makeButton(text, name, press) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.setAttribute("aria-label", name);
    button.addEventListener("click", press);
    return button;
  }

  // Bokeh frames the chart that was dragged on until something else is clicked.
  function unframe() {
    let focused = document.activeElement;
    while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
    focused?.blur();
  }

  function fewerTicks() {
    const wide = document.body.clientWidth > 600;
    for (const figure of figures) {
      for (const axis of figure.below) axis.ticker.desired_num_ticks = wide ? 8 : 3;
      for (const axis of figure.left) axis.ticker.desired_num_ticks = figure.height > 200 ? 6 : 4;
    }
  }

  const day = (time) => new Date(time).toISOString().slice(0, 10);

  function timeBar(range, charts) {
    const bar = $("time");
    const [first, last] = range.bounds;
    const whole = last - first;
    const move = (start, end) => {
      const span = Math.min(end - start, whole);
      const from = Math.min(Math.max(start, first), last - span);
      range.setv({ start: from, end: from + span });
    };
    const all = () => move(first, last);
    bar.append(makeButton("all", "show all", all));
    for (const [text, days] of [["1 year", 365], ["3 months", 91], ["1 month", 30], ["1 week", 7], ["1 day", 1]]) {
      if (days * DAY < whole * 0.95 && days * DAY >= range.min_interval) {
        bar.append(makeButton(text, `show ${text}`, () => {
          const middle = range.end >= last - 1 ? last - (days * DAY) / 2 : (range.start + range.end) / 2;
          move(middle - (days * DAY) / 2, middle + (days * DAY) / 2);
        }));
      }
    }
    const shift = (share) => () => move(range.start + share * (range.end - range.start), range.end + share * (range.end - range.start));
    bar.append(makeButton("◀", "earlier", shift(-0.5)), makeButton("▶", "later", shift(0.5)));
    const shown = document.createElement("span");
    shown.className = "shown";
    bar.append(shown);
    bar.hidden = false;
    return { all, tell: () => { 
      const [from, to] = [Math.max(range.start, charts.first), Math.min(range.end, charts.last)];
      shown.textContent = `${day(from)} to ${day(to)} · drag on a chart to zoom, double-click for all`;
    } };
  }

  // Keeps to the candles and trades in view, so that the y-axis fits them.
  function candles(documentModel, range) {
    const sources = ["rise", "fall", "gain", "loss"].map((name) => documentModel.get_model_by_name(`${name}_points`));
    const whole = sources.map((source) => source.data);
    return () => sources.forEach((source, place) => {
      const data = whole[place];
      const ends = data.exit || data.x;
      const inside = [];
      for (let k = 0; k < data.x.length; k++) if (ends[k] >= range.start && data.x[k] <= range.end) inside.push(k);
      source.data = Object.fromEntries(Object.entries(data).map(([name, column]) => [name, inside.map((k) => column[k])]));
    });
  }

  // At most 1,000 bars of what the charts above show: its end.
  const chartsAbove = (charts, time) => ({ start: Math.max(time.start, time.end - 1000 * charts.interval), end: time.end });

  function chooser(charts, time, range, view) {
    const select = $("window");
    charts.windows.forEach((window, place) => select.append(new Option(window.label, place)));
    if (charts.whole) select.append(new Option("what the charts above show", "above", false, false));
    select.addEventListener("change", () => {
      const window = charts.windows[select.value] || chartsAbove(charts, time);
      range.setv({ start: window.start, end: window.end });
      view();
    });
  }

  function scaleButton(linear, log) {
    const button = $("scale");
    const show = (isLog) => {
      linear.hidden = isLog;
      log.hidden = !isLog;
      button.setAttribute("aria-pressed", String(isLog));
    };
    button.hidden = false;
    button.addEventListener("click", () => show(!log.hidden ? false : true));
    show(false);
  }

  async function draw() {
    const charts = JSON.parse($("charts").textContent);
    const views = await Bokeh.embed.embed_items(charts.docs, charts.items);
    const documentModel = Bokeh.documents[0];
    figures = documentModel.roots();
    const range = documentModel.get_model_by_name("time");
    const candleRange = documentModel.get_model_by_name("candle_time");
    const refine = levels(charts, documentModel);
    const bar = timeBar(range, charts);
    const view = candles(documentModel, candleRange);
    view();
    let waiting = 0;
    const follow = () => {
      if (charts.whole && range.end - range.start <= 1000 * charts.interval) {
        candleRange.setv({ start: range.start, end: range.end });
        $("window").value = "above";
      }
      moved();
    };
    const moved = () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        for (const figure of figures) figure.y_range.have_updated_interactively = false; // a drag had stopped its fitting
        refine(range);
        bar.tell();
        view();
      }, 60);
    };
    for (const end of ["start", "end"]) {
      range.properties[end].change.connect(follow);
      candleRange.properties[end].change.connect(moved);
    }
    fewerTicks();
    addEventListener("resize", fewerTicks);
    if (matchMedia("(pointer: coarse)").matches) {
      for (const figure of figures) figure.toolbar.active_drag = null; // a swipe scrolls the page
    }
    for (const chart of document.querySelectorAll(".chart")) chart.addEventListener("focusin", () => setTimeout(unframe));
    for (const name of ["equity", "equity_log", "drawdown", "position"]) $(`chart-${name}`).addEventListener("dblclick", bar.all);
    chooser(charts, range, candleRange, view);
    scaleButton($("chart-equity"), $("chart-equity_log"));
    bar.tell();
    paint();
    root.dataset.drawn = String(views.length);
  }

  function sortTable(table) {
    const heads = [...table.tHead.rows[0].cells];
    const number = (text) => parseFloat(text.replaceAll(",", "").replace("−", "-"));
    const sort = (head, place) => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      const isText = head.classList.contains("text");
      const key = (row) => (isText ? row.cells[place].textContent : number(row.cells[place].textContent));
      const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
      rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (rising ? 1 : -1));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      table.tBodies[0].append(...rows.map(([, row]) => row));
    };
    heads.forEach((head, place) => {
      head.tabIndex = 0;
      head.addEventListener("click", () => sort(head, place));
      head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(head, place); });
    });
  }

  function moreTrades(table) {
    const button = $("more");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      for (const texts of JSON.parse($("more-trades").textContent)) {
        const row = table.tBodies[0].insertRow();
        texts.forEach((text, place) => {
          const cell = row.insertCell();
          cell.textContent = text;
          cell.className = table.tHead.rows[0].cells[place].className;
        });
      }
      button.remove();
      const count = $("trade-count");
      count.textContent = `${table.tBodies[0].rows.length.toLocaleString("en")} of ${count.textContent.split(" of ")[1]}`;
    });
  }

  paint();
  if ($("trades")) {
    sortTable($("trades"));
    moreTrades($("trades"));
  }
  if ($("charts")) draw();
})();
