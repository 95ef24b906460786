// Shows a ladder: the data of ladder_page.cpp.
(() => {
  const data = JSON.parse($('data').textContent);
  const {players, results, dial = [], calibration = [], intransitivity = null} = data.ladder;
  const text = value => String(value ?? '');
  const grouped = n => Math.round(n).toLocaleString('en-US');
  const signed = n => (n > 0 ? '+' : '') + n.toFixed(0);
  const is = (player, ...kinds) => kinds.includes(player.kind);
  const kindColours = {snapshot: '#4fa3ff', final: '#e8c468', exploiter: '#ff7d5c', baseline: '#8d98a9', random: '#8d98a9', rung: '#5d6a7d'};

  $('title').textContent = document.title;
  // [matches, the first player's score over them]; in matches of more than two sides a score is the mean over the others.
  const tally = r => (r.placings || []).reduce(([n, sum], p) => {
    const alone = (p.behind + p.level / 2) / (p.ahead + p.level + p.behind);
    return [n + p.matches, sum + p.matches * (p.alone === 'first' ? alone : 1 - alone)];
  }, [r.wins + r.draws + r.losses, r.wins + r.draws / 2]);
  const matches = results.reduce((sum, r) => sum + tally(r)[0], 0);
  const anchor = players.find(p => is(p, 'random'));
  $('summary').textContent = players.filter(p => !is(p, 'rung')).length + ' players, ' + grouped(matches) +
    ' matches. Elo' + (anchor ? ', random play at ' + anchor.rating.toFixed(0) : '') + '; intervals are 95%.';

  // ---- plots ----
  const tip = $('tip');
  function showTip(event, content) {
    tip.textContent = content;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(6, Math.min(innerWidth - box.width - 6, event.clientX + 14)) + 'px';
    tip.style.top = Math.max(6, event.clientY - box.height - 12) + 'px';
  }
  document.addEventListener('pointerdown', event => { if (!event.target.dataset || !event.target.dataset.tip) tip.hidden = true; });
  // An empty plot: {root, X, Y, width, height} for data within these ranges.
  function plot(place, x, y, format, height) {
    const width = Math.max(260, place.clientWidth), left = 44, right = 12, top = 8, bottom = 38;
    const X = v => left + (v - x.low) / (x.high - x.low || 1) * (width - left - right);
    const Y = v => height - bottom - (v - y.low) / (y.high - y.low || 1) * (height - top - bottom);
    const root = svg('svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': x.label + ' and ' + y.label});
    for (const v of ticks(y.low, y.high, height / 50)) {
      root.append(svg('line', {x1: left, x2: width - right, y1: Y(v), y2: Y(v), class: 'grid'}));
      root.append(svg('text', {x: left - 7, y: Y(v) + 4, 'text-anchor': 'end'}, String(Math.round(v * 1000) / 1000)));
    }
    for (const v of ticks(x.low, x.high, width / 90))
      root.append(svg('text', {x: X(v), y: height - bottom + 17, 'text-anchor': 'middle'}, format(v)));
    root.append(svg('line', {x1: left, x2: width - right, y1: height - bottom, y2: height - bottom, class: 'axis'}));
    root.append(svg('text', {x: (left + width - right) / 2, y: height - 4, 'text-anchor': 'middle'}, x.label));
    place.replaceChildren(root);
    return {root, X, Y, left, right: width - right, top, bottom: height - bottom};
  }
  function range(values, share) {
    const low = Math.min(...values), high = Math.max(...values), pad = (high - low || 1) * share;
    return {low: low - pad, high: high + pad};
  }
  function point(p, x, y, error, colour, note, r = 4.5) {
    const [px, py] = [p.X(x), p.Y(y)];
    if (error > 0) {
      for (const [x1, x2, y1, y2] of [[px, px, p.Y(y - error), p.Y(y + error)], [px - 4, px + 4, p.Y(y - error), p.Y(y - error)],
        [px - 4, px + 4, p.Y(y + error), p.Y(y + error)]])
        p.root.append(svg('line', {x1, x2, y1, y2, stroke: colour, 'stroke-width': 1.4, opacity: .75}));
    }
    const mark = svg('circle', {cx: px, cy: py, r, fill: colour, class: 'mark'});
    const hit = svg('circle', {cx: px, cy: py, r: 13, class: 'hit', 'data-tip': 1});
    hit.onpointerenter = hit.onpointerdown = event => showTip(event, note);
    hit.onpointerleave = event => { if (event.pointerType === 'mouse') tip.hidden = true; };
    p.root.append(mark, hit);
  }

  // Seconds of training at a number of steps.
  function secondsAt(steps) {
    const time = data.time;
    let i = time.findIndex(([s]) => s >= steps);
    if (i < 0) i = time.length - 1;
    if (i === 0) return time[0][1] * (time[0][0] > 0 ? steps / time[0][0] : 1);
    const [[s0, t0], [s1, t1]] = [time[i - 1], time[i]];
    return t0 + (t1 - t0) * (s1 > s0 ? Math.min(1, (steps - s0) / (s1 - s0)) : 1);
  }
  function drawTraining() {
    const trained = players.filter(p => is(p, 'snapshot', 'final')).sort((a, b) => a.steps - b.steps);
    const others = players.filter(p => is(p, 'baseline', 'random'));
    $('training').hidden = trained.length === 0;
    if (!trained.length) return;
    const timed = data.time.length > 1;
    const most = timed ? secondsAt(trained[trained.length - 1].steps) : trained[trained.length - 1].steps;
    const [unit, label] = !timed ? (most >= 2e6 ? [1e6, 'million steps of training'] : most >= 2e3 ? [1e3, 'thousand steps of training']
      : [1, 'steps of training']) : most >= 180 ? [60, 'minutes of training'] : [1, 'seconds of training'];
    const at = p => (timed ? secondsAt(p.steps) : p.steps) / unit;
    const y = range([...trained.flatMap(p => [p.rating - 2 * p.rating_se, p.rating + 2 * p.rating_se]), ...others.map(p => p.rating)], .06);
    const p = plot($('training').querySelector('.plot'), {low: 0, high: Math.max(1e-9, most / unit), label},
      {...y, label: 'rating'}, v => String(Math.round(v * 100) / 100), innerWidth < 700 ? 260 : 330);
    const shown = [];
    for (const other of [...others].sort((a, b) => b.rating - a.rating)) {
      const yy = p.Y(other.rating);
      p.root.append(svg('line', {x1: p.left, x2: p.right, y1: yy, y2: yy, stroke: '#8d98a9', 'stroke-dasharray': '5 5', opacity: .6}));
      if (shown.some(s => Math.abs(s - yy) < 13)) continue;
      shown.push(yy);
      p.root.append(svg('text', {x: p.left + 6, y: yy - 4, class: 'over'}, text(other.name) + ' ' + other.rating.toFixed(0)));
    }
    const up = trained.map(t => p.X(at(t)) + ',' + p.Y(t.rating + 1.96 * t.rating_se));
    const down = trained.map(t => p.X(at(t)) + ',' + p.Y(t.rating - 1.96 * t.rating_se)).reverse();
    p.root.append(svg('polygon', {points: [...up, ...down].join(' '), fill: '#4fa3ff', opacity: .16}));
    p.root.append(svg('polyline', {points: trained.map(t => p.X(at(t)) + ',' + p.Y(t.rating)).join(' '), fill: 'none', stroke: '#4fa3ff',
      'stroke-width': 2, 'stroke-linejoin': 'round'}));
    for (const t of [...trained, ...players.filter(q => is(q, 'exploiter'))])
      point(p, at(t), t.rating, 1.96 * t.rating_se, kindColours[t.kind], text(t.name) + ': ' + t.rating.toFixed(0) + ' ± ' +
        (1.96 * t.rating_se).toFixed(0) + ' after ' + grouped(t.steps) + ' steps');
    const best = trained.reduce((a, b) => b.rating > a.rating ? b : a);
    $('training').querySelector('.note').textContent = 'The strongest is ' + text(best.name) + ', ' + best.rating.toFixed(0) + ' ± ' +
      (1.96 * best.rating_se).toFixed(0) + '.' + (players.some(q => is(q, 'exploiter')) ? ' Orange: exploiters.' : '');
  }

  function drawDial() {
    $('dial').hidden = !calibration.length && !dial.length;
    if ($('dial').hidden) return;
    if (!calibration.length) {
      $('dial').querySelector('.note').textContent = 'From ' + dial[0].rating.toFixed(0) + ' to ' + dial[dial.length - 1].rating.toFixed(0) +
        '; not checked yet.';
      return;
    }
    const values = calibration.flatMap(c => [c.asked, c.measured - 2 * c.se, c.measured + 2 * c.se]);
    const both = range(values, .05);
    const p = plot($('dial').querySelector('.plot'), {...both, label: 'asked'}, {...both, label: 'measured'}, v => String(v),
      innerWidth < 700 ? 220 : 240);
    p.root.append(svg('polygon', {points: [[both.low, both.low + 50], [both.high, both.high + 50], [both.high, both.high - 50], [both.low, both.low - 50]]
      .map(([x, y]) => p.X(x) + ',' + Math.min(p.bottom, Math.max(p.top, p.Y(y)))).join(' '), fill: '#63c98a', opacity: .12}));
    p.root.append(svg('line', {x1: p.X(both.low), y1: p.Y(both.low), x2: p.X(both.high), y2: p.Y(both.high), stroke: '#63c98a',
      'stroke-dasharray': '6 5'}));
    for (const c of calibration)
      point(p, c.asked, c.measured, 1.96 * c.se, '#e8c468', 'asked ' + c.asked.toFixed(0) + ', measured ' + c.measured.toFixed(0) + ' ± ' +
        (1.96 * c.se).toFixed(0) + (c.bot !== undefined ? '; ' + text(c.bot) + ' at temperature ' + Number(c.temperature).toFixed(2) +
        (c.reaction_steps > 0 ? ', reacting ' + Number(c.reaction_steps) + ' steps later' : '') : '') +
        (c.matches ? '; ' + grouped(c.matches) + ' matches' : ''), 5);
    // The same, with the distance from what was asked enlarged.
    const off = Math.max(60, ...calibration.map(c => Math.abs(c.measured - c.asked) + 2 * c.se)) * 1.08;
    const q = plot($('dial').querySelector('.error'), {...both, label: 'asked; above: how far off'}, {low: -off, high: off, label: 'error'},
      v => String(v), 150);
    q.root.append(svg('rect', {x: q.left, width: q.right - q.left, y: q.Y(50), height: q.Y(-50) - q.Y(50), fill: '#63c98a', opacity: .12}));
    q.root.append(svg('line', {x1: q.left, x2: q.right, y1: q.Y(0), y2: q.Y(0), stroke: '#63c98a', 'stroke-dasharray': '6 5'}));
    for (const c of calibration)
      point(q, c.asked, c.measured - c.asked, 1.96 * c.se, '#e8c468', signed(c.measured - c.asked) + ' ± ' + (1.96 * c.se).toFixed(0) +
        ' at ' + c.asked.toFixed(0), 4);
    const errors = calibration.map(c => Math.abs(c.measured - c.asked));
    $('dial').querySelector('.note').textContent = 'Mean absolute error ' + (errors.reduce((a, b) => a + b, 0) / errors.length).toFixed(0) +
      ', worst ' + Math.max(...errors).toFixed(0) + '. Green: within 50.' + (dial.length ? ' The dial goes from ' + dial[0].rating.toFixed(0) +
      ' to ' + dial[dial.length - 1].rating.toFixed(0) + '.' : '');
  }

  // ---- the payoff matrix ----
  const table = new Map();  // a * players + b -> matches, a's score, and of those of two sides [wins, draws, losses]
  for (const r of results) {
    const [n, sum] = tally(r);
    if (!n) continue;
    const counts = r.placings ? null : [r.wins, r.draws, r.losses];
    table.set(r.first * players.length + r.second, {n, score: sum / n, counts});
    table.set(r.second * players.length + r.first, {n, score: 1 - sum / n, counts: counts && [...counts].reverse()});
  }
  let rungs = false, picked = null;
  const order = () => players.map((_, i) => i).filter(i => rungs || !is(players[i], 'rung')).sort((a, b) => players[b].rating - players[a].rating);
  const score = (a, b) => table.get(a * players.length + b);
  function pairText(a, b) {
    const [one, two] = [text(players[a].name), text(players[b].name)];
    const s = score(a, b), expected = 100 / (1 + 10 ** ((players[b].rating - players[a].rating) / 400));
    if (a === b) return one + ': ' + players[a].rating.toFixed(0) + ' ± ' + (1.96 * players[a].rating_se).toFixed(0);
    if (!s) return one + ' and ' + two + ' have not met; by their ratings ' + expected.toFixed(1) + '%';
    const how = s.counts ? ': ' + grouped(s.counts[0]) + ' won, ' + grouped(s.counts[1]) + ' drawn, ' + grouped(s.counts[2]) + ' lost of ' +
      grouped(s.n) : ' over ' + grouped(s.n) + ' matches';
    return one + ' scores ' + (100 * s.score).toFixed(1) + '% against ' + two + how + '; by their ratings ' + expected.toFixed(1) + '%';
  }
  const canvas = document.querySelector('#payoff canvas');
  let layout = null;
  function drawPayoff() {
    const list = order(), ratio = Math.min(2, devicePixelRatio || 1), width = canvas.clientWidth;
    if (!width) return;
    const c = canvas.getContext('2d');
    c.font = '12px system-ui, "DejaVu Sans", sans-serif';
    const widest = Math.min(width * .3, 8 + Math.max(20, ...list.map(i => c.measureText(text(players[i].name)).width)));
    const cell = Math.min(46, (width - widest) / Math.max(1, list.length));
    const names = cell >= 11;
    const left = names ? widest : 4, size = names ? cell : (width - left) / Math.max(1, list.length);
    const height = Math.ceil(size * list.length) + 4;
    canvas.style.height = height + 'px';
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.font = (size < 14 ? 10 : 12) + 'px system-ui, "DejaVu Sans", sans-serif';
    c.textBaseline = 'middle';
    list.forEach((a, row) => {
      c.textAlign = 'right';
      c.fillStyle = kindColours[players[a].kind] || '#dbe2ec';
      if (names) {
        let name = text(players[a].name);
        while (name.length > 2 && c.measureText(name).width > left - 8) name = name.slice(0, -2) + '…';
        c.fillText(name, left - 7, (row + .5) * size);
      }
      list.forEach((b, column) => {
        const s = a === b ? null : score(a, b), x = left + column * size, y = row * size, gap = size > 8 ? 1 : 0;
        if (a === b) c.fillStyle = '#0d1117';
        else if (!s) c.fillStyle = '#10161e';
        else {
          const d = 2 * s.score - 1, k = Math.abs(d) ** .8;
          const mix = (from, to) => Math.round(from + (to - from) * k);
          c.fillStyle = d >= 0 ? `rgb(${mix(44, 63)},${mix(52, 150)},${mix(64, 255)})` : `rgb(${mix(44, 240)},${mix(52, 96)},${mix(64, 66)})`;
        }
        c.fillRect(x, y, size - gap, size - gap);
        if (s && size >= 30) {
          c.fillStyle = '#f4f7fb';
          c.textAlign = 'center';
          c.fillText((100 * s.score).toFixed(0), x + size / 2, y + size / 2);
        }
        if (picked && picked[0] === a && picked[1] === b) {
          c.strokeStyle = '#fff';
          c.lineWidth = 2;
          c.strokeRect(x, y, size - gap, size - gap);
        }
      });
    });
    layout = {list, left, size};
  }
  function pick(event) {
    if (!layout) return;
    const box = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - layout.left) / layout.size), row = Math.floor((event.clientY - box.top) / layout.size);
    const a = layout.list[row], b = layout.list[column];
    if (a === undefined || b === undefined || column < 0) return;
    picked = [a, b];
    $('pair').textContent = pairText(a, b);
    drawPayoff();
  }
  canvas.onpointermove = canvas.onpointerdown = pick;
  canvas.onkeydown = event => {
    const move = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (!move || !layout) return;
    event.preventDefault();
    const {list} = layout, at = picked ? [list.indexOf(picked[0]), list.indexOf(picked[1])] : [0, 0];
    picked = at.map((value, i) => list[Math.max(0, Math.min(list.length - 1, value + move[i]))]);
    $('pair').textContent = pairText(...picked);
    drawPayoff();
  };
  $('rungs').hidden = !players.some(p => is(p, 'rung'));
  $('rungs').onclick = () => {
    rungs = !rungs;
    $('rungs').setAttribute('aria-pressed', rungs);
    drawPayoff();
    fillTable();
  };
  $('pair').textContent = 'Blue: the row beats the column. Point at a square, or tap it.';

  // ---- players ----
  const judged = new Map((intransitivity && Array.isArray(intransitivity.players) ? intransitivity.players : []).map(p => [p.name, p]));
  const percent = x => x === undefined || x === null ? '' : x < .0005 ? '0' : (100 * x).toFixed(1) + '%';
  function fillTable() {
    const head = element('tr', {}, ...['player', 'rating', '±', 'matches', 'kind', 'steps', ...(judged.size ? ['alpha-Rank', 'Nash'] : [])]
      .map(name => element('th', {}, name)));
    const rows = order().map(i => {
      const p = players[i], j = judged.get(p.name) || {};
      const name = element('td', {}, text(p.name));
      name.style.color = kindColours[p.kind] || '';
      return element('tr', {}, name, element('td', {}, element('b', {}, p.rating.toFixed(0))), element('td', {}, (1.96 * p.rating_se).toFixed(0)),
        element('td', {}, grouped(p.matches)), element('td', {className: 'dim'}, text(p.kind)), element('td', {}, p.steps ? grouped(p.steps) : ''),
        ...(judged.size ? [element('td', {}, percent(j.alpha_rank)), element('td', {}, percent(j.nash))] : []));
    });
    document.querySelector('#players table').replaceChildren(head, ...rows);
  }

  // ---- where one number would lie ----
  (() => {
    const box = document.querySelector('#truth div');
    if (!intransitivity) { $('truth').hidden = true; return; }
    const share = intransitivity.share;
    if (typeof share === 'number')
      box.append(element('p', {}, intransitivity.elo_misleads
        ? 'No: ' + percent(share) + ' of what happened between pairs is not in the ratings.'
        : 'Yes: beyond chance, only ' + percent(share) + ' of what happened between pairs is not in the ratings.'));
    for (const cycle of (intransitivity.cycles || []).slice(0, 8)) {
      const [a, b, c] = cycle.players.map(text), [x, y, z] = cycle.scores.map(s => (100 * s).toFixed(0) + '%');
      box.append(element('p', {}, `${a} beats ${b} (${x}), ${b} beats ${c} (${y}), ${c} beats ${a} (${z}).`));
    }
    const some = [...judged.values()].filter(p => p.alpha_rank > .005 || p.nash > .005).sort((a, b) => b.alpha_rank - a.alpha_rank).slice(0, 12);
    if (!some.length) return;
    const grid = element('div', {className: 'share'});
    for (const p of some) {
      const bars = element('div', {}, element('i'), element('i', {className: 'nash'}));
      bars.children[0].style.width = 100 * p.alpha_rank + '%';
      bars.children[1].style.width = 100 * p.nash + '%';
      grid.append(element('span', {title: text(p.name)}, text(p.name)), bars, element('span', {className: 'number'}, percent(p.alpha_rank)));
    }
    box.append(grid, element('p', {className: 'dim note'},
      'Blue: alpha-Rank, the share of time that evolution would spend there. Yellow: the mix that nobody beats (Nash averaging).'));
  })();

  function draw() {
    drawTraining();
    drawDial();
    drawPayoff();
  }
  fillTable();
  draw();
  whenWidthChanges(() => {
    tip.hidden = true;
    draw();
  });

  // For tests and for tools that look at the page.
  window.ladder = {pair: (a, b) => pairText(players.findIndex(p => p.name === a), players.findIndex(p => p.name === b))};
})();
