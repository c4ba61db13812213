// Draws a tree of boxes as SVG.
"use strict";
gn.hue = function (of) {
  if (of.o === "input" || of.o === "output") return "io";
  if (of.both) return "both";
  return of.r === undefined ? "mx" : "r" + (of.r % 8);
};

gn.short = function (name, common) {
  const rest = common && name.startsWith(common) ? name.slice(common.length) : name;
  return rest.endsWith("_fwd") ? rest.slice(0, -4) : rest;
};

// An operator with what most tells it from others of its kind.
gn.label = function (of) {
  const a = of.a || {};
  const sizes = (text) => (text || "").replace(/[()[\]\s]/g, "").split(",").filter(Boolean);
  const said = [];
  if (a.kernel && a.global_pool !== "True") said.push(sizes(a.kernel).join("×"));
  const stride = sizes(a.stride);
  if (stride.some((s) => s !== "1")) said.push("/" + (stride.every((s) => s === stride[0]) ? stride[0] : stride.join("×")));
  const kind = a.act_type || (a.global_pool === "True" ? "global " : "") + (a.pool_type || "");
  if (kind) said.push(kind);
  return [of.o, ...said].join(" ");
};

gn.milliseconds = function (seconds) {
  const ms = seconds * 1000;
  return (ms >= 100 ? ms.toFixed(0) : ms >= 1 ? ms.toFixed(2) : ms.toPrecision(2)) + " ms";
};

gn.fit = (function () {
  const context = document.createElement("canvas").getContext("2d");
  const kept = new Map();
  // The text, or as much of its beginning, or end, as is no wider than so many pixels.
  return function (text, width, font, end) {
    const key = [font, width, end, text].join(" ");
    const cut = (length) => (end ? "…" + text.slice(text.length - length) : text.slice(0, length) + "…");
    if (kept.has(key)) return kept.get(key);
    context.font = font;
    let found = text;
    if (context.measureText(text).width > width) {
      let low = 0, high = text.length;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (context.measureText(cut(middle)).width <= width) low = middle;
        else high = middle - 1;
      }
      found = cut(low);
    }
    kept.set(key, found);
    return found;
  };
})();

gn.draw = function (svg, tree, common, slowest) {
  const family = getComputedStyle(document.body).fontFamily;
  const lines = [];
  const drawn = new Map();
  const { width, height } = gn.layout(tree.root);
  const whole = make("g");
  inside(tree.root, whole, 0, 0);
  const marks = make("defs");
  for (const id of ["arrow", "arrow-lit"]) {
    const marker = make("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, marks);
    make("path", { d: "M0 .8 7.5 4 0 7.2z" }, marker);
  }
  svg.replaceChildren(marks, whole);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return { width, height, lines, drawn };

  function make(name, attributes, parent) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (parent) parent.append(element);
    return element;
  }

  function text(parent, kind, x, y, said, width, weight, { right, tail } = {}) {
    const font = `${weight || 400} ${kind === "name" ? 12.5 : 11}px ${family}`;
    const element = make("text", { class: kind, x, y, ...(right ? { "text-anchor": "end" } : {}) }, parent);
    element.textContent = gn.fit(said, width, font, tail);
    return element;
  }

  function inside(box, parent, left, top) {
    const { items, ports, links } = gn.layout(box);
    const edges = make("g", { class: "edges" }, parent);
    for (const { points, flows, far } of links) {
      const element = make("path", { class: far ? "edge far" : "edge", d: far ? arc(points) : curve(points), "marker-end": "url(#arrow)" }, edges);
      lines.push({ element, flows });
    }
    for (const item of items) one(item, parent, left, top);
    for (const port of ports) pill(port, parent);
  }

  function one({ kid, x, y, width, height }, parent, left, top) {
    const { of } = kid;
    const at = { box: kid, x: left + x, y: top + y, width, height };
    const group = make("g", { class: `box ${kid.leaf ? "leaf" : "group"} ${gn.hue(of)}`, transform: `translate(${x} ${y})`, "data-id": kid.id }, parent);
    at.element = group;
    drawn.set(kid, at);
    if (kid.leaf) leaf(kid, group, width, height);
    else header(kid, group, width, height);
    if (!kid.leaf && kid.open) {
      const { pad, head } = gn.sizes;
      const free = (width - 2 * pad - gn.layout(kid).width) / 2;
      const inner = make("g", { transform: `translate(${pad + free} ${head})` }, group);
      inside(kid, inner, at.x + pad + free, at.y + head);
    }
  }

  function leaf(kid, group, width, height) {
    const { of } = kid;
    const shape = (of.s || [])[0] || "";
    if (gn.hue(of) === "io") {
      make("rect", { width, height, rx: height / 2 }, group);
      const said = text(group, "name", width / 2, 19.5, of.n, width - 24, 600);
      said.setAttribute("text-anchor", "middle");
      return;
    }
    make("rect", { width, height, rx: 7 }, group);
    make("rect", { class: "stripe", width: 5, height: height - 12, x: 5, y: 6, rx: 2.5 }, group);
    text(group, "name", 17, 19, gn.label(of), width - 26, 600);
    const size = shape.replace(/^f32 /, "");
    const right = text(group, "shape", width - 9, 36, size, 118, 400, { right: true });
    const taken = right.textContent.length * 6.9;
    text(group, "sub", 17, 36, gn.short(of.n, common), width - 38 - taken, 400, { tail: true });
    if (of.t && slowest) make("rect", { class: "time", x: 17, y: height - 5, height: 3, rx: 1.5, width: Math.max(2, (width - 26) * of.t / slowest) }, group);
  }

  function header(kid, group, width, height) {
    const { of } = kid;
    make("rect", { class: "frame", width, height, rx: 10 }, group);
    const button = make("g", { class: "toggle", tabindex: 0, role: "button", "aria-expanded": kid.open, "aria-label": `${of.n}, ${of.k}` }, group);
    make("rect", { class: "hit", width, height: kid.open ? gn.sizes.head : height, rx: 10 }, button);
    make("path", { class: "sign", d: kid.open ? "M10 15l5 6 5-6" : "M12 13l6 5-6 5" }, button);
    if (kid.open) {
      const count = text(button, "count", width - 12, 22, of.k, 120, 400, { right: true });
      text(button, "name", 29, 22.5, of.n, width - 48 - count.textContent.length * 6.2, 650);
    } else {
      text(button, "name", 29, 23.5, of.n, width - 40, 650);
      text(button, "sub", 29, 43, `${of.k}: ${of.u}`, width - 40, 400);
    }
    if (of.t && slowest) make("rect", { class: "time", x: 12, y: (kid.open ? gn.sizes.head : height) - 7, height: 3, rx: 1.5, width: Math.max(2, (gn.sizes.closed[0] - 24) * Math.min(1, of.t / slowest)) }, button);
  }

  function pill({ port, x, y, width, height }, parent) {
    const name = port.label ? gn.short(port.label.of.n, common) : `${port.count} arrays`;
    const attributes = { class: `port ${port.side}`, transform: `translate(${x} ${y})` };
    if (port.label) attributes["data-port"] = port.side === "ins" ? port.label.id : port.flows[0][1][0].id;
    const group = make("g", attributes, parent);
    make("rect", { width, height, rx: height / 2 }, group);
    const verb = port.side === "ins" ? "from " : "to ";
    const other = port.label ? (port.side === "ins" ? name : target(port)) : port.side === "ins" ? name : `readers of ${name}`;
    const said = text(group, "sub", width / 2, 15, other, width - 18 - verb.length * 6.5, 400, { tail: true });
    said.textContent = verb + said.textContent;
    said.setAttribute("text-anchor", "middle");
  }

  function target(port) {
    const readers = [...new Set(port.flows[0][1])];
    return gn.short(readers[0].of.n, common) + (readers.length > 1 ? ` +${readers.length - 1}` : "");
  }

  function curve(points) {
    const [first, ...rest] = points;
    let path = `M${round(first.x)} ${round(first.y)}`;
    if (rest.length === 1) return path + `L${round(rest[0].x)} ${round(rest[0].y)}`;
    for (let k = 0; k < rest.length - 1; k++) {
      const [a, b] = [rest[k], rest[k + 1]];
      const end = k === rest.length - 2 ? b : { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
      path += `Q${round(a.x)} ${round(a.y)} ${round(end.x)} ${round(end.y)}`;
    }
    return path;
  }

  function arc([a, b]) {
    const out = Math.min(160, 40 + Math.abs(b.y - a.y) / 8);
    return `M${round(a.x)} ${round(a.y)}C${round(a.x + out)} ${round(a.y + out)} ${round(b.x + out)} ${round(b.y - out)} ${round(b.x)} ${round(b.y)}`;
  }

  function round(value) {
    return Math.round(value * 10) / 10;
  }
};
