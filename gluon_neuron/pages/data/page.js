// What the reader does: opens and closes boxes, points, selects, searches, zooms, and chooses light or dark.
"use strict";
(function () {
  const byId = (id) => document.getElementById(id);
  theme();
  const data = JSON.parse(byId("data").textContent);
  if (!data) return;
  const [scroll, svg, tip, search, results, details] = ["scroll", "graph", "tip", "search", "results", "details"].map(byId);
  const tree = gn.tree(data);
  const leaves = tree.boxes.filter((b) => b.leaf);
  const timed = tree.boxes.filter((b) => b.of.t);
  const all = timed.reduce((sum, b) => sum + b.of.t, 0);
  const slowest = Math.max(0, ...timed.map((b) => b.of.t));
  const texts = leaves.map(({ of }) => [of.n, of.o, of.c, of.w, of.r === undefined && of.w ? "in mxnet" : "", ...(of.s || [])].join("\n").toLowerCase());
  let zoom = 1, picture, selected = null, found = [], at = -1;

  gn.openSome(tree, 64);
  draw();
  start();
  events();

  function draw() {
    picture = gn.draw(svg, tree, data.common, slowest);
    size();
    mark();
  }

  function size() {
    svg.setAttribute("width", Math.max(1, picture.width * zoom));
    svg.setAttribute("height", Math.max(1, picture.height * zoom));
    byId("percent").textContent = (zoom * 100).toFixed(zoom < 0.1 ? 1 : 0) + "%";
  }

  function start() {
    zoom = Math.min(1, Math.max(0.7, (scroll.clientWidth - 48) / picture.width));
    size();
    const top = gn.layout(tree.root).items.reduce((a, b) => (b.y < a.y ? b : a));
    scroll.scrollTo(offset()[0] + (top.x + top.width / 2) * zoom - scroll.clientWidth / 2, 0);
  }

  function setZoom(wanted, x, y) {
    const before = zoom;
    zoom = Math.min(2.5, Math.max(0.005, wanted));
    const [cx, cy] = [x ?? scroll.clientWidth / 2, y ?? scroll.clientHeight / 2];
    const [left, top] = offset();
    const [px, py] = [(scroll.scrollLeft + cx - left) / before, (scroll.scrollTop + cy - top) / before];
    size();
    const [newLeft, newTop] = offset();
    scroll.scrollLeft = px * zoom + newLeft - cx;
    scroll.scrollTop = py * zoom + newTop - cy;
  }

  // Where the picture begins in what is scrolled: in the middle where it is narrower.
  function offset() {
    const [a, b] = [svg.getBoundingClientRect(), scroll.getBoundingClientRect()];
    return [a.left - b.left + scroll.scrollLeft, a.top - b.top + scroll.scrollTop];
  }

  function fit() {
    zoom = Math.min(1, Math.max(0.005, Math.min((scroll.clientWidth - 48) / picture.width, (scroll.clientHeight - 48) / picture.height)));
    size();
    scroll.scrollTo(0, 0);
  }

  function toggle(box) {
    const before = picture.drawn.get(box);
    gn.toggle(box, !box.open);
    const x = before.x + before.width / 2;
    draw();
    const after = picture.drawn.get(box);
    scroll.scrollTop += (after.y - before.y) * zoom;
    scroll.scrollLeft += (after.x + after.width / 2 - x) * zoom;
    after.element.querySelector(".toggle").focus({ preventScroll: true });
  }

  function every(open) {
    for (const box of [...tree.boxes].reverse()) gn.toggle(box, open);
    draw();
    start();
  }

  function show(box) {
    let changed = false;
    for (let up = box.parent; up.parent; up = up.parent) {
      changed = changed || !up.open;
      gn.toggle(up, true);
    }
    selected = box;
    if (changed) draw();
    else mark();
    describe(box);
    scroll.scrollIntoView({ block: "nearest" });
    zoom = Math.max(zoom, 0.75);
    size();
    const place = picture.drawn.get(box);
    const [left, top] = offset();
    const height = Math.min(place.height, (scroll.clientHeight * 0.6) / zoom);
    scroll.scrollTo({
      left: left + (place.x + place.width / 2) * zoom - scroll.clientWidth / 2,
      top: top + (place.y + height / 2) * zoom - scroll.clientHeight / 2,
    });
  }

  function select(box) {
    selected = box;
    mark();
    if (box) describe(box);
    else describe(null);
  }

  // Marks what is selected, what flows into it and out of it, and what was found.
  function mark() {
    const hits = new Set(found);
    svg.classList.toggle("searching", found.length > 0);
    for (const [box, { element }] of picture.drawn) {
      const inside = box.leaf ? hits.has(box) : box.leaves.some((b) => hits.has(b));
      element.classList.toggle("found", inside);
      element.classList.toggle("selected", box === selected);
    }
    const near = selected && new Set(selected.leaf ? [selected] : selected.leaves);
    for (const { element, flows } of picture.lines) {
      const lit = Boolean(near) && flows.some(([source, reader]) => near.has(source) !== near.has(reader));
      if (lit !== element.classList.contains("lit")) {
        element.classList.toggle("lit", lit);
        element.setAttribute("marker-end", lit ? "url(#arrow-lit)" : "url(#arrow)");
        if (lit) element.parentNode.append(element);
      }
    }
  }

  function find() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = words.length ? leaves.filter((b, k) => words.every((w) => texts[k].includes(w))) : [];
    at = -1;
    byId("count").textContent = words.length ? `${found.length} of ${leaves.length}` : "";
    byId("overview").hidden = words.length > 0;
    results.hidden = !words.length;
    const shown = found.slice(0, 200).map((box) => {
      const button = part("button", "result " + gn.hue(box.of));
      button.dataset.goto = box.id;
      button.append(part("b", "", gn.label(box.of)), part("span", "", box.of.n));
      const item = part("li");
      item.append(button);
      return item;
    });
    if (found.length > shown.length) shown.push(part("li", "more", `and ${found.length - shown.length} more`));
    if (words.length && !found.length) shown.push(part("li", "more", "Nothing has all of these words in its name, operator, shape or reason."));
    results.replaceChildren(...shown);
    mark();
  }

  function next(step) {
    if (!found.length) return;
    at = (at + step + found.length) % found.length;
    show(found[at]);
    const buttons = results.querySelectorAll(".result");
    buttons.forEach((b, k) => b.classList.toggle("now", k === at));
    if (buttons[at]) buttons[at].scrollIntoView({ block: "nearest" });
    byId("count").textContent = `${at + 1} of ${found.length}`;
  }

  function part(name, kind, said) {
    const element = document.createElement(name);
    if (kind) element.className = kind;
    if (said !== undefined) element.textContent = said;
    return element;
  }

  function where(of) {
    if (of.r !== undefined) return "compiled, in " + (data.regions[of.r] || "region " + of.r);
    if (of.w) return "in MXNet: " + of.w;
    if (of.both) return "regions, and operators in MXNet";
    return of.o === "input" ? "an input of the model" : of.o === "output" ? "an output of the model" : "in MXNet";
  }

  function facts(box) {
    const { of } = box;
    const rows = [];
    if (!box.leaf) rows.push(["holds", of.k + (of.u ? ": " + of.u : "")]);
    rows.push(["where", where(of)]);
    if (of.c) rows.push(["kind of reason", of.c]);
    const seconds = of.t || box.leaves.reduce((sum, b) => sum + (b.of.t || 0), 0);
    if (seconds) rows.push(["time", gn.milliseconds(seconds) + (all ? `, ${((100 * seconds) / all).toFixed(1)}% of all` : "")]);
    const shapes = (of.s || []).filter(Boolean);
    if (shapes.length) rows.push([shapes.length > 1 ? "outputs" : "output", shapes.join(", ")]);
    const read = (of.i || []).map(([i, k]) => [tree.boxes[i], k]);
    const known = read.map(([b, k]) => (b.of.s || [])[k] || b.of.n);
    if (known.length) rows.push([known.length > 1 ? "inputs" : "input", known.slice(0, 6).join(", ") + (known.length > 6 ? ", …" : "")]);
    for (const [name, shape] of of.p || []) rows.push(["parameter", name + (shape ? ", " + shape : "")]);
    for (const [name, value] of Object.entries(of.a || {})) rows.push([name, value]);
    return rows;
  }

  function list(rows) {
    const table = part("dl");
    for (const [name, value] of rows) table.append(part("dt", "", name), part("dd", "", value));
    return table;
  }

  function describe(box) {
    details.hidden = !box;
    if (!box) return;
    const head = part("h2", gn.hue(box.of), box.leaf ? gn.label(box.of) : box.of.n);
    const close = part("button", "close", "×");
    close.setAttribute("aria-label", "Close");
    close.dataset.close = "";
    details.replaceChildren(close, head);
    if (box.leaf) details.append(part("p", "path", box.of.n));
    details.append(list(facts(box)));
    const sources = [...new Set((box.of.i || []).map(([i]) => tree.boxes[i]))];
    for (const [said, others] of [["reads", sources], ["is read by", [...new Set(box.readers)]]]) {
      if (!others.length) continue;
      const line = part("p", "near", said + " ");
      for (const other of others.slice(0, 12)) {
        const button = part("button", "link", gn.short(other.of.n, data.common));
        button.dataset.goto = other.id;
        line.append(button, " ");
      }
      if (others.length > 12) line.append(`and ${others.length - 12} more`);
      details.append(line);
    }
    details.scrollIntoView({ block: "nearest" });
  }

  function hover(event) {
    const over = event.target.closest("[data-id]");
    const box = over && tree.boxes[over.dataset.id];
    tip.hidden = !box || event.pointerType === "touch" || Boolean(drag && drag.moved);
    if (tip.hidden) return;
    if (tip.dataset.of !== over.dataset.id) {
      tip.dataset.of = over.dataset.id;
      tip.replaceChildren(part("b", "", box.leaf ? gn.label(box.of) : box.of.n));
      if (box.leaf) tip.append(part("p", "path", box.of.n));
      tip.append(list(facts(box).slice(0, 12)));
    }
    const { offsetWidth: w, offsetHeight: h } = tip;
    const x = event.clientX + 16 + w > innerWidth ? event.clientX - 16 - w : event.clientX + 16;
    const y = Math.min(event.clientY + 16, innerHeight - h - 8);
    tip.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`;
  }

  let drag = null;

  function events() {
    scroll.addEventListener("click", (event) => {
      if (drag && drag.moved) return;
      const port = event.target.closest("[data-port]");
      if (port) return show(tree.boxes[port.dataset.port]);
      const over = event.target.closest("[data-id]");
      const box = over && tree.boxes[over.dataset.id];
      if (box && !box.leaf && event.target.closest(".toggle")) toggle(box);
      else select(box && box.leaf ? box : null);
    });
    scroll.addEventListener("keydown", (event) => {
      const over = event.target.closest(".toggle");
      if (!over || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      toggle(tree.boxes[over.closest("[data-id]").dataset.id]);
    });
    scroll.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      const [a, b] = [scroll.getBoundingClientRect(), [event.clientX, event.clientY]];
      if (b[0] > a.left + scroll.clientWidth || b[1] > a.top + scroll.clientHeight) return; // a scroll bar
      drag = { x: b[0], y: b[1], left: scroll.scrollLeft, top: scroll.scrollTop, moved: false, down: true };
    });
    addEventListener("pointermove", (event) => {
      if (!drag || !drag.down) return;
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      if (!drag.moved && Math.hypot(dx, dy) < 5) return;
      drag.moved = true;
      scroll.classList.add("dragging");
      scroll.scrollLeft = drag.left - dx;
      scroll.scrollTop = drag.top - dy;
    });
    addEventListener("pointerup", () => {
      if (drag) drag.down = false;
      scroll.classList.remove("dragging");
      setTimeout(() => { if (drag && !drag.down) drag = null; }, 0);
    });
    scroll.addEventListener("pointermove", hover);
    scroll.addEventListener("pointerleave", () => { tip.hidden = true; });
    scroll.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const around = scroll.getBoundingClientRect();
      setZoom(zoom * Math.exp(-event.deltaY / 300), event.clientX - around.left, event.clientY - around.top);
    }, { passive: false });
    document.addEventListener("click", (event) => {
      const going = event.target.closest("[data-goto]");
      if (going) {
        at = found.indexOf(tree.boxes[going.dataset.goto]);
        show(tree.boxes[going.dataset.goto]);
      }
      const region = event.target.closest("[data-region]");
      if (region) {
        const box = tree.boxes.find((b) => !b.leaf && b.of.g < 0 && b.of.r === Number(region.dataset.region))
          || tree.boxes.find((b) => !b.leaf && b.of.r === Number(region.dataset.region));
        if (box) show(box);
      }
      const words = event.target.closest("[data-search]");
      if (words) {
        search.value = words.dataset.search;
        find();
        next(1);
      }
      if (event.target.closest("[data-close]")) select(null);
    });
    search.addEventListener("input", find);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") next(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") {
        search.value = "";
        find();
      }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && document.activeElement !== search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
      if (event.key === "Escape" && document.activeElement !== search) select(null);
    });
    const actions = { in: () => setZoom(zoom * 1.25), out: () => setZoom(zoom / 1.25), fit, open: () => every(true), close: () => every(false) };
    for (const [name, act] of Object.entries(actions)) byId("do-" + name).addEventListener("click", act);
  }

  function theme() {
    const button = byId("theme");
    const kinds = ["auto", "light", "dark"];
    let now = "auto";
    try { now = localStorage.getItem("gluon_neuron theme") || now; } catch { /* a page from a file may keep nothing */ }
    const apply = (kind) => {
      now = kinds.includes(kind) ? kind : "auto";
      document.documentElement.dataset.theme = now;
      button.textContent = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" }[now];
    };
    apply(now);
    button.hidden = false;
    button.addEventListener("click", () => {
      apply(kinds[(kinds.indexOf(now) + 1) % 3]);
      try { localStorage.setItem("gluon_neuron theme", now); } catch { /* see above */ }
    });
  }
})();
