'use strict';
{
  // The answers, by lab and question: which choice, and whether it was right. A browser may refuse to keep them.
  const KEY = 'baresock-book';
  let answers = {};
  try { answers = JSON.parse(localStorage.getItem(KEY)) || {}; } catch { /* Then they last as long as the page. */ }
  const keep = () => { try { localStorage.setItem(KEY, JSON.stringify(answers)); } catch { /* As above. */ } };

  // A lab: each choice becomes a button, and an answer opens what happens.
  const sections = [...document.querySelectorAll('.ask')];
  const lab = (document.querySelector('h1') || {}).textContent;
  const lesson = document.querySelector('.lesson');

  function answer(section, chosen, is_kept) {
    const items = [...section.querySelectorAll('.choices li')];
    const is_right = items[chosen].hasAttribute('data-right');
    items.forEach((item, at) => {
      item.classList.toggle('right', item.hasAttribute('data-right'));
      item.classList.toggle('wrong', at === chosen && !is_right);
      const button = item.querySelector('button');
      button.disabled = true;
      button.setAttribute('aria-pressed', String(at === chosen));
    });
    const right = items.find(item => item.hasAttribute('data-right'));
    section.querySelector('.told').textContent = is_right ? 'You were right.'
      : right ? `This machine says: ${right.textContent}.` : 'This machine says something else.';
    section.nextElementSibling.open = true;
    if (!is_kept) {
      answers[lab] = {...answers[lab], [section.id]: [chosen, is_right]};
      keep();
      section.nextElementSibling.firstElementChild.focus();
    }
    if (lesson && sections.every(one => (answers[lab] || {})[one.id])) lesson.open = true;
  }

  for (const section of sections) {
    const items = [...section.querySelectorAll('.choices li')];
    items.forEach((item, at) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = item.textContent;
      button.addEventListener('click', () => answer(section, at, false));
      item.replaceChildren(button);
    });
    const given = (answers[lab] || {})[section.id];
    if (given && items[given[0]]) answer(section, given[0], true);
  }
  // A lab that asks nothing hides nothing.
  if (lesson && sections.length === 0) lesson.open = true;

  // The contents: how far the reader has come.
  const progress = document.getElementById('progress');
  function tell() {
    let [labs, right, all] = [0, 0, 0];
    for (const item of document.querySelectorAll('[data-lab]')) {
      const given = Object.values(answers[item.dataset.lab] || {});
      const good = given.filter(([, is_right]) => is_right).length;
      item.querySelector('.done').textContent = given.length === 0 ? ''
        : `${good} right, ${given.length} of ${item.dataset.asks} answered`;
      if (given.length > 0) labs += 1;
      right += good;
      all += given.length;
    }
    progress.textContent = all === 0 ? '' : `You have answered ${all} questions in ${labs} labs; ${right} answers were right. `;
    if (all === 0) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Forget my answers';
    button.addEventListener('click', () => { answers = {}; keep(); tell(); });
    progress.append(button);
  }
  if (progress) tell();

  // The chosen call covers a part of a small screen.
  const close = document.getElementById('close-step');
  if (close) {
    close.addEventListener('click', () => document.querySelector('.step').classList.remove('used'));
  }

  // On paper no part can be opened: all are open while a page is printed.
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = [...document.querySelectorAll('details:not([open])')];
    closed.forEach(part => { part.open = true; });
  });
  addEventListener('afterprint', () => closed.forEach(part => { part.open = false; }));
}
