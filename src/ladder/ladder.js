'use strict';
{
  const {steps, arrows, connections} = JSON.parse(document.getElementById('data').textContent);
  const ladder = document.querySelector('.ladder');
  const rows = [...ladder.querySelectorAll('.row')];
  const links = rows.map(row => row.querySelector('.call'));
  const picture = ladder.querySelector('.lines');
  // Where the page is more than its ladder, the keys step only from a call on.
  const is_whole_page = !document.body.classList.contains('with-step');
  let now = 0;

  // Everything from the trace becomes text, never markup.
  const put = (id, text) => { document.getElementById(id).textContent = text; };

  // The outermost closed part around an element: only its summary can be seen.
  function cover(element) {
    let found = null;
    for (let part = element.closest('details'); part; part = part.parentElement.closest('details'))
      if (!part.open) found = part;
    return found;
  }

  function show(number) {
    now = Math.max(0, Math.min(steps.length - 1, number));
    const step = steps[now];
    rows.forEach((row, at) => row.classList.toggle('chosen', at === now));
    links.forEach((link, at) => {
      link.tabIndex = at === now ? 0 : -1;
      if (at === now) link.setAttribute('aria-current', 'step'); else link.removeAttribute('aria-current');
    });
    lines.forEach(({line, arrow: {from, to}}) => line.classList.toggle('chosen', from === now || to === now));
    put('place', `step ${now + 1} of ${steps.length}`);
    // Where nothing connects, no end is a client or a server.
    put('who', step.who.startsWith('pid') && connections.length > 0 ? `${step.side}, ${step.who}` : step.who);
    put('call', step.call);
    put('when', step.when);
    document.getElementById('about').replaceChildren(...step.about.map(line => {
      const paragraph = document.createElement('p');
      paragraph.textContent = line;
      return paragraph;
    }));
    put('drawing', step.drawing.join('\n'));
    put('descriptors', descriptors(step));
    put('buffers', buffers());
  }

  // What this step's source has open: everything since its beginning.
  function descriptors({source}) {
    const open = new Map();
    for (const step of steps.slice(0, now + 1)) {
      if (step.source !== source) continue;
      for (const [number, what] of step.fds) {
        if (what === null) open.delete(number); else open.set(number, what);
      }
    }
    const found = [...open].sort(([one], [other]) => one - other);
    return found.map(([number, what]) => `${number}  ${what}`).join('\n') || 'none';
  }

  // The last that was heard of each connection.
  function buffers() {
    const known = new Map();
    for (const {connection, side, kernel, under_way} of steps.slice(0, now + 1)) {
      if (connection === null) continue;
      const about = known.get(connection) || {};
      if (kernel !== null) about[side] = kernel;
      if (under_way !== null) about.under_way = under_way;
      known.set(connection, about);
    }
    const told = [];
    for (const [connection, about] of known) {
      const {client, server, under_way} = about;
      if (client === 'closed' && server === 'closed') continue;
      const found = (under_way || []).map(line => `  ${line}`);
      if (client) found.push(`  client: ${client}`);
      if (server) found.push(`  server: ${server}`);
      if (found.length) told.push(`#${connection + 1} ${connections[connection]}`, ...found);
    }
    return told.join('\n') || (is_whole_page ? 'nothing is known (--state tells)' : 'nothing is known');
  }

  // The lines of the arrows. They are drawn again whenever rows move: their text wraps, a part is opened.
  const lines = arrows.map(arrow => {
    const line = picture.querySelector('defs g').cloneNode(true);
    line.setAttribute('class', arrow.what + (arrow.from === null || arrow.to === null ? ' open' : ''));
    line.firstElementChild.setAttribute('marker-end', `url(#head-${arrow.what})`);
    picture.append(line);
    return {line, arrow};
  });

  function draw() {
    const box = ladder.getBoundingClientRect();
    const gutter = parseFloat(getComputedStyle(rows[0]).gridTemplateColumns.split(' ')[2]);
    const visible = rows.find(row => !cover(row));
    if (!visible || !gutter) return;
    const left = visible.querySelector('.mark').getBoundingClientRect().left - box.left;
    const places = rows.map(row => {
      const closed = cover(row);
      const place = (closed ? closed.querySelector('summary') : row).getBoundingClientRect();
      return {y: place.top - box.top + (closed ? place.height / 2 : Math.min(16, place.height / 2)), closed};
    });
    for (const {line, arrow: {from, to, side}} of lines) {
      const [start, end] = [places[from === null ? to : from], places[to === null ? from : to]];
      // An arrow into an answer would give it away.
      const is_answer = [start, end].some(({closed}) => closed && closed.matches('.answer'));
      const is_folded = Boolean(start.closed && (start.closed === end.closed || from === null || to === null));
      line.style.display = is_answer || is_folded ? 'none' : '';
      const edges = [left + 6, left + gutter - 6];
      let [x1, x2] = side === 'left' ? edges : [edges[1], edges[0]];
      if (from === null) x1 = left + gutter / 2; else if (to === null) x2 = left + gutter / 2;
      Object.entries({x1, y1: start.y, x2, y2: end.y}).forEach(([name, value]) =>
        line.firstElementChild.setAttribute(name, value));
    }
  }

  // Goes to a step; opens what is folded around it, but not an answer to a question that is still open.
  function go(number) {
    const to = Math.max(0, Math.min(steps.length - 1, number));
    const answer = rows[to].closest('details.answer:not([open])');
    if (answer) {
      (answer.previousElementSibling.querySelector('button:enabled') || answer.firstElementChild).focus();
      return;
    }
    for (let closed = cover(rows[to]); closed; closed = cover(rows[to])) closed.open = true;
    show(to);
    document.querySelector('.step').classList.add('used');
    history.replaceState(null, '', `#step=${to + 1}`);
    rows[to].scrollIntoView({block: 'nearest'});
    links[to].focus({preventScroll: true});
  }
  function from_address() {
    const asked = /^#step=(\d+)$/.exec(location.hash);
    if (asked) go(Number(asked[1]) - 1);
  }
  const keys = {
    ArrowDown: () => now + 1, ArrowRight: () => now + 1, ArrowUp: () => now - 1, ArrowLeft: () => now - 1,
    Home: () => 0, End: () => steps.length - 1,
  };
  addEventListener('keydown', event => {
    if (!(event.key in keys) || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!is_whole_page && !links.includes(document.activeElement)) return;
    event.preventDefault();
    go(keys[event.key]());
  });
  links.forEach((link, at) => link.addEventListener('click', event => { event.preventDefault(); go(at); }));
  document.getElementById('back').addEventListener('click', () => go(now - 1));
  document.getElementById('on').addEventListener('click', () => go(now + 1));
  addEventListener('hashchange', from_address);
  // A lab that was skipped has no calls.
  if (steps.length > 0) {
    document.querySelector('.step').classList.add('ready');
    document.body.classList.add('drawn');
    show(0);
    draw();
    from_address();
    new ResizeObserver(draw).observe(ladder);
  }
}
