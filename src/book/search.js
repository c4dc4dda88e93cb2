'use strict';
{
  const plain = text => text.toLowerCase().replace(/[^a-z0-9_]+/g, ' ').trim();
  const entries = INDEX.map(entry => ({entry, title: plain(entry.t), also: entry.a.map(plain), gist: plain(entry.g)}));

  // How well an entry answers: its name before another name for it, and that before a text that mentions it.
  function score({title, also, gist}, asked, words) {
    if (title === asked) return 100;
    if (also.includes(asked)) return 90;
    // A message is pasted whole: it has a name in it, or the text of an error.
    const around = ` ${asked} `;
    let best = 0;
    if (words.length > 1 && title.length > 3 && words.includes(title)) best = 70;
    for (const text of also)
      if (text.length < 80 && text.includes(' ') && around.includes(` ${text} `)) best = Math.max(best, 75 + text.length / 20);
    if (words.length > 2 && gist.includes(asked)) best = Math.max(best, 87);
    if (words.length > 2 && also.some(text => text.includes(asked))) best = Math.max(best, 85);
    if (title.startsWith(asked)) best = Math.max(best, 60);
    else if (title.includes(asked)) best = Math.max(best, 50);
    if (best) return best;
    const everything = [title, gist, ...also].join(' ');
    const hit = words.filter(word => everything.includes(word)).length;
    return hit === words.length ? 20 + 10 * words.filter(word => title.includes(word)).length : 0;
  }

  function search(text) {
    const asked = plain(text);
    const words = asked.split(' ').filter(Boolean);
    const list = document.getElementById('results');
    const found = words.length === 0 ? [] : entries
      .map(one => ({one, points: score(one, asked, words)}))
      .filter(({points}) => points > 0)
      .sort((one, other) => other.points - one.points)
      .slice(0, 60);
    list.replaceChildren(...found.map(({one: {entry}}) => {
      const item = document.createElement('li');
      const link = document.createElement('a');
      link.href = entry.u;
      link.textContent = entry.t;
      item.append(link, ` (${entry.k}) ${entry.g}`);
      return item;
    }));
    const said = found.length === 0 ? 'nothing is found' : found.length === 1 ? 'one is found' : `${found.length} are found`;
    document.getElementById('found').textContent = words.length === 0 ? '' : said;
  }

  const form = document.getElementById('search');
  const asked = new URLSearchParams(location.search).get('q') || '';
  form.q.value = asked;
  form.addEventListener('submit', event => { event.preventDefault(); search(form.q.value); });
  form.q.addEventListener('input', () => search(form.q.value));
  search(asked);
  form.q.focus();
}
