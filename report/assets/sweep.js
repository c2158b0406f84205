// Draws what is chosen of a sweep: a map over two parameters, a metric along one, and rows across all of them.
(() => {
  const { $, root, colour, numbers, show } = common;
  if (!$("charts")) return;
  const charts = JSON.parse($("charts").textContent);
  const NOTHING = "–";
  let documentModel;

  const model = (name) => documentModel.get_model_by_name(name);
  const put = (name, columns) => { model(`${name}_points`).data = columns; };
  const short = (text) => (text.length > 16 ? `${text.slice(0, 15)}…` : text);
  const isWide = () => document.body.clientWidth > 600;

  function told(metric, value) {
    if (!Number.isFinite(value)) return NOTHING;
    const text = value.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "negative" });
    return text.replace("-", "−") + metric.unit; // a zero has no sign
  }

  function mix(from, to, share) {
    const parts = (text) => [1, 3, 5].map((place) => parseInt(text.slice(place, place + 2), 16));
    const [a, b] = [parts(from), parts(to)];
    return `rgb(${a.map((part, place) => Math.round(part + share * (b[place] - part))).join(" ")})`;
  }

  // Colours of values: where a metric turns from bad to good and values lie on both sides, they part there; else they
  // grow deeper from one end to the other. A few far ones do not set the ends.
  function scaleOf(metric, values) {
    const sorted = values.filter(Number.isFinite).sort();
    const cut = sorted.length > 50 ? Math.floor(sorted.length * 0.02) : 0;
    const [low, high] = [sorted[cut], sorted[sorted.length - 1 - cut]];
    const [paper, warm, cold] = ["paper", "warm", "cold"].map(colour);
    const { centre } = metric;
    const shade = (to, share) => mix(paper, to, 0.08 + 0.92 * Math.min(Math.max(share, 0), 1));
    const between = (value) => (high > low ? (value - low) / (high - low) : 0.5);
    const parts = centre !== null && low < centre && centre < high;
    const reach = Math.max(high - centre, centre - low);
    const of = (value) => {
      if (parts) return shade(value >= centre ? warm : cold, Math.abs(value - centre) / reach);
      if (centre !== null && high <= centre) return shade(cold, 1 - between(value));
      return shade(metric.less ? cold : warm, between(value));
    };
    return { low, high, of, parts };
  }

  function tellScale(metric, scale) {
    const [low, bar, high] = $("scale").children;
    low.textContent = told(metric, scale.low);
    high.textContent = told(metric, scale.high);
    const stops = [...Array(17).keys()].map((k) => scale.of(scale.low + (k / 16) * (scale.high - scale.low)));
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    $("scale").hidden = scale.low === undefined;
  }

  // Labels at the middle of places, fewer where they would touch.
  function label(axis, labels, room) {
    const longest = Math.max(...labels.map((text) => short(text).length));
    const step = Math.max(1, Math.ceil(((longest + 1) * 8 * labels.length) / room));
    const ticks = labels.map((_, k) => k + 0.5).filter((_, k) => k % step === 0);
    axis.ticker.ticks = ticks;
    axis.major_label_overrides = new Map(ticks.map((tick) => [tick, short(labels[tick - 0.5])]));
  }

  const roomBeside = (labels) => document.body.clientWidth - 70 - Math.max(66, 50 + 8 * Math.max(...labels.map((text) => short(text).length)));

  function drawMap() {
    const map = charts.maps[$("map").value];
    const metric = charts.metrics[$("map-metric").value];
    const aggregates = $("map-aggregate");
    const chosen = Math.max(map.aggregates.indexOf(aggregates.value), 0);
    aggregates.hidden = map.aggregates.length < 2;
    const [nx, ny] = [map.x_labels.length, map.y_labels.length];
    const values = numbers(map.values[$("map-metric").value][chosen]), rows = numbers(map.rows);
    const scale = scaleOf(metric, values);
    const filled = [...rows.keys()].filter((k) => rows[k] > 0);
    const known = filled.filter((k) => Number.isFinite(values[k]));
    const best = known.reduce((a, b) => (a === undefined || (metric.less ? values[b] < values[a] : values[b] > values[a]) ? b : a), undefined);
    filled.sort((a, b) => (a === best) - (b === best)); // its outline lies over its neighbours
    const what = map.aggregates.length > 1 ? `${map.aggregates[chosen]} ` : "";
    put("map", {
      x: filled.map((k) => (k % nx) + 0.5),
      y: filled.map((k) => Math.floor(k / nx) + 0.5),
      color: filled.map((k) => (Number.isFinite(values[k]) ? scale.of(values[k]) : colour("raised"))),
      edge: filled.map((k) => colour(k === best ? "ink" : "paper")),
      width: filled.map((k) => (k === best && known.length > 1 ? 2.5 : 0)),
      x_label: filled.map((k) => `${map.x} ${map.x_labels[k % nx]}`),
      y_label: filled.map((k) => `${map.y} ${map.y_labels[Math.floor(k / nx)]}`),
      told: filled.map((k) => `${what}${metric.label} ${told(metric, values[k])}`),
      rows: filled.map((k) => rows[k].toLocaleString("en")),
    });
    const figure = model("map");
    figure.height = Math.max(170, 8 * map.y.length + 90, Math.min(640, (isWide() ? 34 : 28) * ny + 80));
    $("chart-map").style.minHeight = `${figure.height}px`;
    figure.x_range.setv({ start: 0, end: nx });
    figure.y_range.setv({ start: 0, end: ny });
    label(figure.below[0], map.x_labels, roomBeside(map.y_labels));
    label(figure.left[0], map.y_labels, 1e9);
    figure.below[0].axis_label = map.x;
    figure.left[0].axis_label = map.y;
    tellScale(metric, scale);
    const over = map.aggregates.length > 1 ? `Each cell is the ${map.aggregates[chosen]} over all other parameters` : "Each cell is one row";
    const colours = scale.parts ? `colours part at ${told(metric, metric.centre)}` : "the deeper the colour, the further to one end";
    $("map-note").textContent = `${over}; ${colours}.`;
  }

  function drawLine() {
    const line = charts.lines[$("line").value];
    const metric = charts.metrics[$("line-metric").value];
    const columns = Object.fromEntries(Object.entries(line.values[$("line-metric").value]).map(([name, text]) => [name, numbers(text)]));
    const rows = numbers(line.rows);
    const isSingle = rows.every((count) => count <= 1);
    const figure = model("line");
    const every = [...rows.keys()];
    put("line", {
      x: every.map((k) => k + 0.5),
      ...columns,
      trend: every.map((k) => (k < line.ordered ? columns.median[k] : NaN)),
      label: every.map((k) => `${line.axis} ${line.labels[k]}`),
      told: every.map((k) => told(metric, columns.median[k])),
      half: every.map((k) => `${told(metric, columns.low[k])} to ${told(metric, columns.high[k])}`),
      best_told: every.map((k) => told(metric, columns.best[k])),
      rows: every.map((k) => rows[k].toLocaleString("en")),
    });
    for (const renderer of figure.renderers) {
      if (renderer.name === "half" || renderer.name === "finest") renderer.visible = !isSingle;
    }
    const found = Object.values(columns).flatMap((column) => [...column].filter(Number.isFinite));
    for (const key of $("line-keys").children) key.hidden = isSingle;
    const [low, high] = found.length ? [Math.min(...found), Math.max(...found)] : [0, 1];
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    figure.y_range.setv({ start: low - room, end: high + room });
    figure.x_range.setv({ start: 0, end: line.labels.length });
    label(figure.below[0], line.labels, roomBeside([""]));
    figure.below[0].axis_label = line.axis;
    figure.left[0].axis_label = metric.label + metric.unit.replace(" ", ", ");
    $("line-note").textContent = isSingle ? "Each dot is one row." : "Over all other parameters and instruments.";
  }

  // Lines across all axes; those that are not among the chosen ranks, or pass a brushed axis elsewhere, fade.
  function parallel() {
    const found = charts.parallel;
    const heights = found.heights.map((text) => numbers(text));
    const ranks = numbers(found.ranks), values = numbers(found.values);
    const every = found.rows.map((_, k) => k);
    const across = heights.map((_, place) => place);
    const brushes = new Map();
    const figure = model("parallel");
    const still = {
      xs: every.map(() => across),
      ys: every.map((k) => heights.map((column) => column[k])),
      told: every.map((k) => `${charts.metrics[0].label} ${told(charts.metrics[0], values[k])}`),
      row: found.rows.map(String),
    };
    const draw = () => {
      const [from, to] = $("ranks").value.split(" ").map(Number);
      const isIn = (k) => (ranks[k] >= from && ranks[k] <= to || k === every.length - 1 && from === 0)
        && [...brushes].every(([place, [low, high]]) => heights[place][k] >= low && heights[place][k] <= high);
      const shown = new Set(every.filter(isIn));
      const [none, warm, cold] = ["known", "warm", "cold"].map(colour);
      const strong = shown.size > 300 ? 0.4 : shown.size > 60 ? 0.65 : 0.9;
      const order = [...every.filter((k) => !shown.has(k)), ...shown];
      const at = (columns) => Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, order.map((k) => column[k])]));
      put("parallel", {
        ...at(still),
        alpha: order.map((k) => (shown.has(k) ? strong : 0.06)),
        color: order.map((k) => (ranks[k] <= 0.5 ? mix(none, warm, 1 - 2 * ranks[k]) : mix(none, cold, 2 * ranks[k] - 1))),
      });
      const set = [...brushes];
      put("brush", { x: set.map(([place]) => place), low: set.map(([, [low]]) => low), high: set.map(([, [, high]]) => high) });
      $("unbrush").hidden = !set.length;
    };
    figure.on_event("selectiongeometry", ({ geometry: { x0, x1, y0, y1 } }) => {
      const [left, right] = [Math.min(x0, x1), Math.max(x0, x1)], [low, high] = [Math.min(y0, y1), Math.max(y0, y1)];
      const inside = across.filter((place) => place >= left && place <= right);
      const nearest = Math.min(Math.max(Math.round((left + right) / 2), 0), across.length - 1);
      for (const place of inside.length ? inside : [nearest]) brushes.set(place, [low, high]);
      draw();
    });
    $("unbrush").addEventListener("click", () => { brushes.clear(); draw(); });
    $("ranks").addEventListener("change", draw);
    $("ranks").hidden = false;
    if (every.length < 100) $("ranks").value = "0 1";
    return draw;
  }

  const options = (select, texts) => select.append(...texts.map((text, place) => new Option(text, place)));

  function choosers() {
    const names = charts.metrics.map((metric) => metric.label);
    if ($("map")) {
      const groups = new Map();
      charts.maps.forEach((map, place) => {
        if (!groups.has(map.group)) groups.set(map.group, []);
        groups.get(map.group).push(new Option(`${map.x} × ${map.y}`, place));
      });
      for (const [group, own] of groups) {
        if (groups.size === 1) $("map").append(...own);
        else {
          const part = document.createElement("optgroup");
          part.label = group || "all instruments together";
          part.append(...own);
          $("map").append(part);
        }
      }
      options($("map-metric"), names);
      $("map-aggregate").append(...["median", "mean", "best"].map((name) => new Option(`${name} over the rest`, name)));
      $("map").hidden = charts.maps.length < 2;
      $("map-metric").hidden = names.length < 2;
      for (const id of ["map", "map-metric", "map-aggregate"]) $(id).addEventListener("change", drawMap);
    }
    options($("line"), charts.lines.map((line) => line.axis));
    options($("line-metric"), names);
    $("line").hidden = charts.lines.length < 2;
    $("line-metric").hidden = names.length < 2;
    for (const id of ["line", "line-metric"]) $(id).addEventListener("change", drawLine);
  }

  function fit() {
    const wide = isWide();
    model("distribution").below[0].ticker.desired_num_ticks = wide ? 8 : 4;
    for (const name of ["distribution", "line"]) model(name).left[0].ticker.desired_num_ticks = 5;
    if (charts.parallel) {
      const figure = model("parallel"), count = charts.parallel.heights.length;
      const step = (document.body.clientWidth - 130) / Math.max(count - 1, 1); // pixels from axis to axis
      figure.x_range.setv({ start: -30 / step, end: count - 1 + 48 / step });
      figure.below[0].major_label_orientation = step > 120 ? "horizontal" : 0.6;
    }
  }

  async function draw() {
    const views = await Bokeh.embed.embed_items(charts.docs, charts.items);
    documentModel = Bokeh.documents[0];
    const figures = documentModel.roots();
    choosers();
    const all = [...(charts.maps.length ? [drawMap] : []), drawLine, ...(charts.parallel ? [parallel()] : [])];
    const redraw = () => {
      fit();
      for (const each of all) each();
      for (const figure of figures) for (const axis of [...figure.below, ...figure.left]) axis.axis_label_text_color = colour("muted");
    };
    let waiting = 0;
    addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(redraw, 100);
    });
    if (matchMedia("(pointer: coarse)").matches) {
      for (const figure of figures) figure.toolbar.active_drag = null; // a swipe scrolls the page
    }
    show(figures, redraw);
    root.dataset.drawn = String(views.length);
  }

  draw();
})();
