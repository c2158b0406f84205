// Draws the charts over time and cuts them to what is in view.
(() => {
  const { $, root, numbers, show: paint } = common;
  const DAY = 86400000;
  let figures = [];

  // Columns as `packing.py` writes them: words as they are, times in seconds since the first bar, other numbers as floats.
  function unpack(columns, first) {
    return Object.fromEntries(Object.entries(columns).map(([name, column]) => {
      if (Array.isArray(column)) return [name, column];
      if (!name.startsWith("x")) return [name, numbers(column, Float32Array)];
      return [name, Float64Array.from(numbers(column, Uint32Array), (value) => first + value * 1000)];
    }));
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

  // Areas that stand on one another, short ones hanging below: what begins within the same four pixels becomes its mean
  // over time, so that steps stay wide enough to see.
  function stacked(columns, from, to, end, least) {
    const at = (k) => columns.x[k] ?? end;
    const starts = [];
    for (let k = from; k < to; k++) {
      if (k === from || Math.floor(at(k) / least) > Math.floor(at(k - 1) / least)) starts.push(k);
    }
    const mean = (values, start, stop) => {
      const length = at(stop) - at(start);
      if (!(length > 0)) return values[stop - 1];
      let sum = 0;
      for (let k = start; k < stop; k++) sum += values[k] * (at(k + 1) - at(k));
      return sum / length;
    };
    const areas = { x: [...starts, to].map(at) };
    const above = areas.x.map(() => 0), below = areas.x.map(() => 0);
    for (let place = 0; columns[`height${place}`]; place++) {
      const values = columns[`height${place}`];
      const height = starts.map((k, group) => mean(values, k, starts[group + 1] ?? to));
      height.push(height.at(-1)); // the last step has an end too
      const base = height.map((value, k) => (value >= 0 ? above[k] : below[k]));
      const top = height.map((value, k) => base[k] + value);
      top.forEach((value, k) => { if (height[k] >= 0) above[k] = value; else below[k] = value; });
      Object.assign(areas, { [`height${place}`]: height, [`base${place}`]: base, [`top${place}`]: top });
    }
    return areas;
  }

  // Draws what is in view of the series, so that the y-axes fit it.
  function cutter(charts, documentModel) {
    const whole = Object.entries(charts.series).map(([name, columns]) => [name, unpack(columns, charts.first)]);
    const end = charts.last + charts.interval;
    return (range) => {
      const least = (4 * (range.end - range.start)) / document.body.clientWidth;
      for (const [name, columns] of whole) {
        const from = Math.max(firstFrom(columns.x, range.start) - 1, 0);
        const to = Math.min(firstFrom(columns.x, range.end) + 1, columns.x.length);
        documentModel.get_model_by_name(`${name}_points`).data = columns.height0 ? stacked(columns, from, to, end, least)
          : Object.fromEntries(Object.entries(columns).map(([column, values]) => [column, values.subarray(from, to)]));
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
          const middle = range.end >= charts.last ? charts.last - (days * DAY) / 2 : (range.start + range.end) / 2;
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

  // Shows the bars and trades of one instrument, and of these what is in view, so that the y-axis fits them.
  function candles(charts, documentModel, range) {
    const names = ["rise", "fall", "gain", "loss"];
    const figure = documentModel.get_model_by_name("candles");
    const hovers = figure.toolbar.tools.filter((tool) => typeof tool.tooltips === "string").map((tool) => [tool, tool.tooltips]);
    const whole = {};
    const choose = (instrument) => {
      for (const name of names) whole[name] = unpack(instrument.points[name], charts.first);
      for (const [tool, text] of hovers) tool.tooltips = text.replaceAll("PRICE", instrument.price);
      figure.left[0].formatter.format = instrument.price;
    };
    const view = () => {
      for (const name of names) {
        const { x, x_exit } = whole[name], ends = x_exit || x;
        const inside = [...x.keys()].filter((k) => ends[k] >= range.start && x[k] <= range.end);
        documentModel.get_model_by_name(`${name}_points`).data = Object.fromEntries(
          Object.entries(whole[name]).map(([column, values]) => [column, inside.map((k) => values[k])]));
      }
    };
    return { choose, view };
  }

  // At most 1,000 bars of what the charts above show: its end.
  const chartsAbove = (charts, time) => ({ start: Math.max(time.start, time.end - 1000 * charts.interval), end: time.end });

  // The choice of the instrument, where there are several, and of a stretch of its bars.
  function choosers(charts, time, range, { choose, view }) {
    const [select, which] = [$("window"), $("instrument")];
    let instrument;
    const show = () => {
      const window = instrument.windows[select.value] || chartsAbove(charts, time);
      range.setv({ start: window.start, end: window.end });
      view();
    };
    const take = (chosen) => {
      instrument = chosen;
      choose(instrument);
      select.replaceChildren(...instrument.windows.map((window, place) => new Option(window.label, place)));
      if (charts.whole) select.append(new Option("what the charts above show", "above", false, false));
      show();
    };
    which.append(...charts.candles.map((each, place) => new Option(each.name, place)));
    which.hidden = charts.candles.length < 2;
    which.addEventListener("change", () => take(charts.candles[which.value]));
    select.addEventListener("change", show);
    take(charts.candles[0]);
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

  // One of several charts, and its legend.
  function choices() {
    for (const select of document.querySelectorAll("select.choice")) {
      const show = () => {
        for (const { value, selected } of select.options) $(value).hidden = $(`keys-${value}`).hidden = !selected;
      };
      select.hidden = false;
      select.addEventListener("change", show);
      show();
    }
  }

  async function draw() {
    const charts = JSON.parse($("charts").textContent);
    const views = await Bokeh.embed.embed_items(charts.docs, charts.items);
    const documentModel = Bokeh.documents[0];
    figures = documentModel.roots();
    const range = documentModel.get_model_by_name("time");
    const candleRange = documentModel.get_model_by_name("candle_time");
    const cut = cutter(charts, documentModel);
    cut(range);
    const bar = timeBar(range, charts);
    const shown = candles(charts, documentModel, candleRange);
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
        cut(range);
        bar.tell();
        shown.view();
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
    for (const figure of figures) {
      if (figure.x_range === range) $(`chart-${figure.name}`).addEventListener("dblclick", bar.all);
    }
    choosers(charts, range, candleRange, shown);
    scaleButton($("chart-equity"), $("chart-equity_log"));
    choices();
    bar.tell();
    paint(figures);
    root.dataset.drawn = String(views.length);
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

  if ($("trades")) moreTrades($("trades"));
  if ($("charts")) draw();
})();
