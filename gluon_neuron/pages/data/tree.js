// Boxes within boxes: who holds whom, what flows between them, and where each lies. Knows no element of the page.
"use strict";
const gn = {};

gn.sizes = { node: [208, 46], pill: [150, 30], port: [150, 22], closed: [296, 60], head: 36, pad: 14 };

// Links whose lengths, in ranks, add up to more are too slow to route: the longest are drawn beside the others.
gn.routed = 400;
// So many arrays that come into a box, or leave it, are named one by one.
gn.named = 6;

gn.tree = function (data) {
  const count = data.nodes.length;
  const root = { id: -1, kids: [], open: true, depth: 0, links: new Map(), ins: new Map(), outs: new Map() };
  const boxes = [...data.nodes, ...data.groups].map((of, id) => ({
    id, of, leaf: id < count, kids: [], open: false, links: new Map(), ins: new Map(), outs: new Map(),
    readers: [], hits: 0, layout: null,
  }));
  for (const box of boxes) {
    box.parent = box.of.g < 0 ? root : boxes[box.of.g];
    box.parent.kids.push(box);
  }
  const stack = [root];
  while (stack.length) {
    for (const kid of stack.pop().kids) {
      kid.depth = kid.parent.depth + 1;
      stack.push(kid);
    }
  }
  for (const reader of boxes) {
    for (const [source, out] of reader.of.i || []) {
      boxes[source].readers.push(reader);
      link(boxes[source], reader, out);
    }
  }
  for (const box of boxes) box.leaves = box.leaf ? [box] : [];
  for (const box of boxes) if (box.leaf) for (let up = box.parent; up !== root; up = up.parent) up.leaves.push(box);
  return { root, boxes };

  function link(source, reader, out) {
    let from = source, to = reader;
    const key = source.id + ":" + out;
    const leave = () => { from = port(from, "outs"); };
    const enter = () => { to = port(to, "ins"); };
    while (from.depth > to.depth) leave();
    while (to.depth > from.depth) enter();
    while (from.parent !== to.parent) { leave(); enter(); }
    const name = from.id + ">" + to.id;
    const links = from.parent.links;
    if (!links.has(name)) links.set(name, { from, to, flows: [] });
    links.get(name).flows.push([source, reader, out]);

    // The array passes the border of the box around `inner`; the answer is that box.
    function port(inner, side) {
      const around = inner.parent;
      if (!around[side].has(key)) around[side].set(key, { source, out, inner: new Set(), readers: [] });
      around[side].get(key).inner.add(inner);
      around[side].get(key).readers.push(reader);
      return around;
    }
  }
};

gn.size = function (box) {
  if (box.leaf) return box.of.o === "input" || box.of.o === "output" ? gn.sizes.pill : gn.sizes.node;
  if (!box.open) return gn.sizes.closed;
  const inside = gn.layout(box);
  const { head, pad } = gn.sizes;
  return [Math.max(inside.width + 2 * pad, gn.sizes.closed[0]), inside.height + head + pad];
};

// Where everything inside a box lies, from its corner on: items, ports and links. Kept until something in it changes.
gn.layout = function (box) {
  if (box.layout) return box.layout;
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 20, ranksep: 30, edgesep: 14, marginx: 4, marginy: 6 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const kid of box.kids) {
    const [width, height] = gn.size(kid);
    graph.setNode("b" + kid.id, { width, height, kid });
  }
  const wanted = [...box.links.values()].map(({ from, to, flows }) => ({ a: "b" + from.id, b: "b" + to.id, flows }));
  for (const side of ["ins", "outs"]) {
    for (const [k, port] of ports(box[side]).entries()) {
      const [width, height] = gn.sizes.port;
      graph.setNode(side + k, { width, height, port: { ...port, side } });
      for (const inner of port.inner) {
        const flows = port.flows.filter((f) => !f[2] || f[2].has(inner)).map(([source, readers]) => [source, readers]);
        const [a, b] = side === "ins" ? [side + k, "b" + inner.id] : ["b" + inner.id, side + k];
        wanted.push({ a, b, flows: flows.flatMap(([s, rs]) => rs.map((r) => [s, r])) });
      }
    }
  }
  const beside = tooLong(wanted);
  for (const [k, one] of wanted.entries()) if (!beside.has(one)) graph.setEdge(one.a, one.b, { one }, "e" + k);
  dagre.layout(graph);
  const links = graph.edges().map((e) => ({ points: graph.edge(e).points, flows: graph.edge(e).one.flows }));
  for (const one of beside) {
    const [a, b] = [graph.node(one.a), graph.node(one.b)];
    links.push({ points: [{ x: a.x, y: a.y + a.height / 2 }, { x: b.x, y: b.y - b.height / 2 }], flows: one.flows, far: true });
  }
  const all = graph.nodes().map((name) => {
    const n = graph.node(name);
    return { ...n, x: n.x - n.width / 2, y: n.y - n.height / 2 };
  });
  box.layout = { ...framed(all, links), links, items: all.filter((n) => n.kid), ports: all.filter((n) => n.port) };
  return box.layout;

  // Moves everything to where the frame begins, as links may lie beyond what dagre counts, and says how large it is.
  function framed(nodes, links) {
    const spots = links.flatMap((l) => l.points);
    const left = least([...nodes, ...spots].map((p) => p.x)) - 6;
    for (const one of [...nodes, ...spots]) one.x -= left;
    const right = most([...nodes.map((n) => n.x + n.width), ...spots.map((p) => p.x)]);
    return { width: right + 6, height: most([...nodes.map((n) => n.y + n.height), ...spots.map((p) => p.y)]) + 6 };
  }

  function least(values) {
    return values.reduce((a, b) => Math.min(a, b), values.length ? Infinity : 0);
  }

  function most(values) {
    return values.reduce((a, b) => Math.max(a, b), 0);
  }

  function ports(map) {
    const every = [...map.values()].map((p) => ({ inner: p.inner, label: p.source, count: 1, flows: [[p.source, p.readers]] }));
    if (every.length <= gn.named) return every;
    const flows = [...map.values()].map((p) => [p.source, p.readers, p.inner]);
    return [{ inner: new Set(every.flatMap((p) => [...p.inner])), label: null, count: every.length, flows }];
  }

  function tooLong(all) {
    const rank = new Map();
    const into = new Map();
    for (const one of all) into.set(one.b, [...(into.get(one.b) || []), one]);
    // Only a file that nobody compiled has circles; what closes one counts as nothing here.
    const rankOf = (start) => {
      const todo = [start];
      const begun = new Set();
      while (todo.length) {
        const at = todo[todo.length - 1];
        begun.add(at);
        const before = (into.get(at) || []).find((e) => !rank.has(e.a) && !begun.has(e.a));
        if (before) todo.push(before.a);
        else {
          rank.set(at, Math.max(-1, ...(into.get(at) || []).map((e) => rank.get(e.a) ?? -1)) + 1);
          todo.pop();
        }
      }
      return rank.get(start);
    };
    const span = new Map(all.map((e) => [e, rankOf(e.b) - rankOf(e.a)]));
    let total = [...span.values()].reduce((a, b) => a + b, 0);
    const found = new Set();
    const left = new Map([...into].map(([b, edges]) => [b, edges.length]));
    for (const one of [...all].sort((a, b) => span.get(b) - span.get(a))) {
      if (total <= gn.routed) break;
      if (left.get(one.b) < 2) continue; // the last one says where its reader lies
      left.set(one.b, left.get(one.b) - 1);
      found.add(one);
      total -= span.get(one);
    }
    return found;
  }
};

gn.toggle = function (box, open) {
  if (box.leaf || box.open === open) return;
  box.open = open;
  for (let up = box; up; up = up.parent) up.layout = null;
};

// Opens boxes from the outermost on, all of one depth or none, while no more than `most` are to be seen.
gn.openSome = function (tree, most) {
  let level = tree.root.kids;
  for (let seen = level.length; level.length; ) {
    const closed = level.filter((b) => !b.leaf);
    level = closed.flatMap((b) => b.kids);
    seen += level.length;
    if (seen > most) return;
    for (const box of closed) gn.toggle(box, true);
  }
};
