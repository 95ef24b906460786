// Shows what `rival balance` found: the data of balance_page.cpp. Rates are shares of 1, a draw counts half.
(() => {
  const report = JSON.parse($('data').textContent);
  const list = name => report[name] || [];
  const choices = list('choices'), noun = report.choice || 'choice', changes = list('changes');
  const changed = changes.length > 0;
  const known = x => typeof x === 'number';
  const last = items => items[items.length - 1];

  // ---- text ----
  const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
  const grouped = n => known(n) ? Math.round(n).toLocaleString('en-US') : '–';
  const plain = v => known(v) ? String(Number(v.toPrecision(6))) : String(v ?? '–');
  const percent = (x, digits = 1) => known(x) ? (100 * x).toFixed(digits) + '%' : '–';
  const fixed = (x, digits) => (Number(x.toFixed(digits)) < 0 ? '−' : '') + Math.abs(x).toFixed(digits);
  const signed = (x, digits = 1) => known(x) ? (Number(x.toFixed(digits)) >= 0 ? '+' : '') + fixed(x, digits) : '–';
  const points = x => known(x) ? plain(Math.ceil(10 * x - 1e-6) / 10) + (x > .9 && x <= 1 ? ' point' : ' points') : '–';
  // Like "61 to 65": of rates in percent, of others as they are.
  const interval = (c, scale = 100, digits = 1) => c && known(c.low) && known(c.high)
    ? fixed(scale * c.low, digits) + ' to ' + fixed(scale * c.high, digits) : '';
  const within = text => text ? ' (' + text + ')' : '';
  const rated = (c, digits = 1) => c ? percent(c.rate, digits) + within(interval(c, 100, digits)) : '–';
  const lengthText = c => c && known(c.mean) ? plain(Math.round(c.mean * 10) / 10) + within(interval(c, 1)) + ' steps' : '–';
  const figure = (value, between) => between ? [element('b', {}, value), element('span', {className: 'interval'}, within(between))]
    : [element('b', {}, value)];
  const duration = s => !known(s) ? '–' : s < 120 ? plain(Math.round(s * 10) / 10) + ' s' : s < 7200 ? Math.round(s / 60) + ' min'
    : (s / 3600).toFixed(1) + ' h';
  const shorten = (text, most) => text.length > most ? text.slice(0, most - 1) + '…' : text;
  const several = (n, one, many = one + 's') => n + ' ' + (n === 1 ? one : many);
  // A name like "sniper.max_range", which may be broken behind its dots and underscores.
  const breakable = name => name.split(/(?<=[._])/).flatMap((part, i) => i ? [element('wbr'), part] : [part]);
  const note = (id, text) => { document.querySelector('#' + id + ' > .note:last-of-type').textContent = text; };
  const rowOf = (kind, cells) => element('tr', {}, ...cells.map(c => element(kind, {}, ...[c].flat())));

  const isRate = target => target.unit === 'rate' || target.unit === 'share';
  // What a target wants, as [low, high] in its own unit, or null if it does not say.
  const wanted = target => known(target.from) || known(target.to) ?
    [known(target.from) ? target.from : 0, known(target.to) ? target.to : isRate(target) ? 1 : Infinity] : null;
  const off = (target, value) => {
    const band = wanted(target);
    return !band || !known(value) ? 0 : Math.max(band[0] - value, value - band[1], 0) / (isRate(target) ? 1 : Math.max(1, band[0]));
  };
  const ofAll = target => /^(every|each|all|any)\b/i.test(target.name);
  const targetOf = name => list('targets').find(t => t.unit === 'rate' && (t.name === name || t.name === name + ' overall')) ||
    list('targets').find(t => t.unit === 'rate' && ofAll(t));
  const bandOf = name => {
    const target = targetOf(name);
    return target ? wanted(target) : null;
  };
  const inUnit = (target, value) => isRate(target) ? percent(value) : plain(known(value) ? Math.round(value * 10) / 10 : value);

  // ---- the choices: how strong each one is ----
  function overall(options, cells) {
    return choices.map((name, i) => {
      const option = (options || []).find(o => o.name === name);
      if (option) return option;
      const rates = (cells && cells[i] || []).filter((c, j) => j !== i && c && known(c.rate)).map(c => c.rate);
      return rates.length ? {name, rate: rates.reduce((a, b) => a + b, 0) / rates.length} : null;
    });
  }
  const before = list('before').length ? list('before') : null;
  const after = report.after && report.after.length ? report.after : null;
  const strength = overall(report.options_before, before);
  const strengthAfter = report.options_after || after ? overall(report.options_after, after) : null;
  const order = choices.map((_, i) => i).sort((a, b) => (strength[b] ? strength[b].rate ?? -1 : -1) - (strength[a] ? strength[a].rate ?? -1 : -1));
  const uneven = c => c && known(c.rate) ? Math.abs(c.rate - .5) : -1;
  const worstOf = all => all.reduce((worst, c) => uneven(c) > uneven(worst) ? c : worst, null);

  // ---- the sentence that says it all ----
  const settings = (of, most = 3) => {
    const some = of.slice(0, most).map(c => c.parameter + (c.from === undefined || c.from === null ? ' to ' + plain(c.to)
      : ' from ' + plain(c.from) + ' to ' + plain(c.to)));
    if (of.length > most) some.push(several(of.length - most, 'parameter') + ' more');
    return some.length > 1 ? some.slice(0, -1).join(', ') + ' and ' + last(some) : some[0] || '';
  };
  const firstSide = 'The side that goes first';
  function headline() {
    const setting = 'setting ' + settings(changes);
    const worst = worstOf(strength), worstAfter = strengthAfter && worstOf(strengthAfter);
    const seat = report.seat_advantage_before || report.seat_advantage;
    const overallWanted = !list('targets').length || choices.some(name => targetOf(name));
    let lead = '', then = '';
    if (worst && overallWanted) {
      lead = worst.name + ' wins ' + rated(worst, 0) + ' overall';
      if (worstAfter && uneven(worstAfter) < uneven(worst))
        then = 'brings every ' + noun + ' to within ' + points(100 * uneven(worstAfter)) + ' of even';
    } else if (seat && (!list('targets').length || list('targets').some(t => /first|seat/i.test(t.name)))) {
      lead = firstSide + ' wins ' + rated(seat, 0);
      if (report.seat_advantage_before && report.seat_advantage) then = 'brings that to ' + rated(report.seat_advantage, 0);
    } else if (list('targets').length) {
      const target = list('targets').reduce((a, b) => off(b, b.before) > off(a, a.before) ? b : a);
      lead = target.name + ': ' + inUnit(target, target.before) + ', wanted ' + target.wanted;
      if (known(target.after)) then = 'brings it to ' + inUnit(target, target.after) + within(interval(target, isRate(target) ? 100 : 1));
    }
    if (changed && !then) then = report.met === true ? 'meets every target' : 'changes that';
    if (report.claims === false) return 'Not enough to claim anything' + (lead ? '. As far as it was measured: ' + lead : '');
    if (changed && report.met === false)
      return 'Cannot be reached within these bounds; the nearest is ' + setting + (known(report.worst_gap) ? ', which leaves ' +
        points(report.worst_gap) + ' to go' : '');
    if (changed) return (lead ? lead + '; ' : '') + (lead ? setting : capital(setting)) + ' ' + then;
    if (report.met === true) return 'Balanced as it is' + (lead ? '; farthest from even: ' + lead : '');
    if (report.met === false) return (lead || 'Not balanced') + '; no change is proposed';
    return lead || 'Nothing was measured';
  }
  function header() {
    $('title').textContent = document.title;
    $('headline').textContent = headline();
    document.body.dataset.met = report.claims === false ? 'open' : String(report.met ?? 'open');
    const targets = list('targets'), met = targets.filter(t => t.met === true).length, worst = strengthAfter && worstOf(strengthAfter);
    const says = [];
    if (targets.length) says.push(met === targets.length ? (met === 1 ? 'The one target is met' : 'All ' + met + ' targets are met')
      : met + ' of ' + several(targets.length, 'target') + ' met');
    if (report.met !== true && known(report.worst_gap) && targets.length) says.push('the worst is off by ' + points(report.worst_gap));
    if (known(report.confidence)) says.push('confidence ' + percent(report.confidence, report.confidence > .995 ? 1 : 0));
    if (changed && worst) says.push('farthest from even after the change: ' + worst.name + ', ' + rated(worst));
    $('verdict').textContent = says.length ? capital(says.join('; ')) + '.' : '';
    $('summary').textContent = [choices.length ? several(choices.length, noun) : 'no choices, only seats',
      known(report.matches) ? grouped(report.matches) + ' matches' : '', known(report.seconds) ? duration(report.seconds) : '',
      report.seed ? 'seed ' + report.seed : ''].filter(Boolean).join(', ') + '. Intervals, in brackets, are 95%.';
    const warnings = list('warnings');
    $('banner').hidden = report.claims !== false && !warnings.length;
    $('banner').classList.toggle('mild', report.claims !== false);
    $('banner').append(element('h2', {}, report.claims === false
      ? 'These results claim nothing: the players were too weak, or the matches too few.' : 'Mind this'),
      ...(warnings.length ? [element('ul', {}, ...warnings.map(w => element('li', {}, w)))] : []));
  }

  // ---- tables of targets and changes ----
  function targets() {
    const all = [...list('targets')], both = all.some(t => known(t.after));
    $('targets').hidden = !all.length;
    const measured = t => {
      const scale = isRate(t) ? 100 : 1;
      return figure(inUnit(t, known(t.after) ? t.after : t.before), interval(t, scale));
    };
    const word = text => element('span', {className: 'word'}, text);
    const mark = met => element('span', {className: met === true ? 'met' : met === false ? 'missed' : 'dim'},
      ...(met === true ? ['✓', word(' met')] : met === false ? ['✗', word(' missed')] : ['?', word(' open')]));
    const urgency = t => t.met === false ? 0 : t.met === true ? 2 : 1;
    all.sort((a, b) => urgency(a) - urgency(b));
    $('targets').querySelector('table').append(rowOf('th', ['target', 'wanted', ...(both ? ['before', 'after'] : ['measured']), '']),
      ...all.map(t => rowOf('td', [t.name, t.wanted || '–', ...(both ? [inUnit(t, t.before)] : []), measured(t), mark(t.met)])));
  }
  function copyButton(label, content) {
    const button = element('button', {type: 'button'}, label);
    button.onclick = async () => {
      try {
        await navigator.clipboard.writeText(content);
      } catch {
        const area = element('textarea', {value: content});
        document.body.append(area);
        area.select();
        document.execCommand('copy');
        area.remove();
        button.focus();
      }
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = label; }, 1500);
    };
    return button;
  }
  function showChanges() {
    const file = report.data_file, line = report.parameters_line;
    $('changes').hidden = !changed && !file && !line;
    const bounds = changes.some(c => known(c.low) && known(c.high)), cost = changes.some(c => known(c.cost));
    if (changed)
      $('changes').querySelector('table').append(rowOf('th', ['parameter', 'from', '', 'to', ...(bounds ? ['within'] : []), ...(cost ? ['cost'] : [])]),
        ...changes.map(c => rowOf('td', [breakable(c.parameter), plain(c.from), element('span', {className: 'dim'}, '→'), element('b', {}, plain(c.to)),
          ...(bounds ? [known(c.low) && known(c.high) ? plain(c.low) + ' to ' + plain(c.high) : '–'] : []),
          ...(cost ? [known(c.cost) ? plain(Number(c.cost.toPrecision(3))) : '–'] : [])])));
    const take = $('changes').querySelector('.take');
    if (line) take.append(element('pre', {tabIndex: 0}, line), copyButton('Copy the line', line));
    if (file) {
      const save = element('a', {className: 'button', download: file.name.split(/[\\/]/).pop() || 'data',
        href: URL.createObjectURL(new Blob([file.text], {type: 'text/plain'}))}, 'Download ' + file.name);
      take.append(save, copyButton('Copy the file', file.text),
        element('details', {}, element('summary', {}, file.name), element('pre', {tabIndex: 0}, file.text)));
    }
  }

  // ---- bars from 50% ----
  const kMany = 14;  // choices, from which on they are shown more tightly
  // rows: {name, sets: [{cell, hollow}], band: [low, high] or null}; on a scale for all of them.
  function bars(place, rows, all = rows) {
    const seen = all.flatMap(r => [...r.sets.flatMap(s => s.cell ? [s.cell.rate, s.cell.low, s.cell.high] : []), ...(r.band || [])]).filter(known);
    const half = Math.min(.5, Math.max(.06, 1.1 * Math.max(...seen.filter(v => v > .001 && v < .999).map(v => Math.abs(v - .5)), 0)));
    const at = v => 100 * (Math.max(.5 - half, Math.min(.5 + half, v)) - .5 + half) / (2 * half);
    const piece = (className, low, high, top) => {
      const i = element('i', {className});
      i.style.left = at(low) + '%';
      i.style.width = at(high) - at(low) + '%';
      if (top !== undefined) i.style.top = top + 'px';
      return i;
    };
    const scale = ticks(.5 - half, .5 + half, 4), pitch = rows.length > 1 && rows.length <= 8 ? 22 : 16;
    place.style.setProperty('--pitch', pitch + 'px');
    place.replaceChildren(...rows.map(row => {
      const track = element('div', {className: 'track'}), values = element('div', {className: 'values'});
      track.style.height = 6 + pitch * row.sets.length + 'px';
      if (row.band) track.append(piece('band', ...row.band));
      track.append(...scale.map(v => piece('tick', v, v)), piece('half', .5, .5));
      row.sets.forEach(({cell, hollow}, k) => {
        values.append(element('div', {className: hollow ? 'dim' : ''}, cell ? element('b', {}, percent(cell.rate)) : '–',
          element('span', {className: 'dim'}, within(interval(cell)))));
        if (!cell || !known(cell.rate)) return;
        track.append(piece(hollow ? 'bar hollow' : 'bar', Math.min(.5, cell.rate), Math.max(.5, cell.rate), 5 + pitch * k));
        if (known(cell.low) && known(cell.high)) track.append(piece('whisker', cell.low, cell.high, 5 + pitch * k));
      });
      return element('div', {className: 'row'}, element('div', {className: 'name', title: row.name}, row.name), track, values);
    }), element('div', {className: 'row axis', ariaHidden: 'true'}, element('div', {className: 'name'}), element('div', {className: 'track'},
      ...scale.map(v => {
        const label = piece('label', v, v);
        label.textContent = (100 * v).toFixed(half < .02 ? 1 : 0) + '%';
        return label;
      })), element('div')));
  }
  const sets = (one, two) => two ? [{cell: one, hollow: true}, {cell: two, hollow: false}] : [{cell: one, hollow: false}];
  function drawOverall() {
    $('overall').hidden = !strength.some(Boolean);
    if ($('overall').hidden) return;
    $('overall').querySelector('h2').textContent = 'How often each ' + noun + ' wins overall';
    const rows = order.map(i => ({name: choices[i], sets: sets(strength[i], strengthAfter && strengthAfter[i]), band: bandOf(choices[i])}));
    const [one, two] = $('overall').querySelectorAll('.bars'), split = rows.length > kMany ? Math.ceil(rows.length / 2) : rows.length;
    bars(one, rows.slice(0, split), rows);
    if (split < rows.length) {
      bars(two, rows.slice(split), rows);
      $('bands').before($('overall'));
    }
    note('overall', (strengthAfter ? 'Hollow: before the change; filled: after it. ' : '') + 'Against all others alike, a draw counted half. Whiskers: 95% intervals.' +
      (rows.some(r => r.band) ? ' Green: what is wanted.' : ''));
  }

  // ---- matrices: one choice of view for the heat map and the counters ----
  const views = [];
  if (before) views.push({name: after ? 'Before' : 'All', long: after ? 'before the change' : '', cells: before});
  if (after) views.push({name: 'After', long: 'after the change', cells: after});
  if (report.real && report.real.matrix && report.real.matrix.length) views.push({name: 'Real players', long: 'among real players', cells: report.real.matrix});
  for (const band of list('bands'))
    if (band.matrix && band.matrix.length) views.push({name: capital(band.name), long: 'among ' + band.name, cells: band.matrix});
  let view = 0;
  function setView(which) {
    view = which;
    for (const button of document.querySelectorAll('.views button')) button.setAttribute('aria-pressed', Number(button.dataset.view) === view);
    drawHeat();
    drawCounters();
  }
  function viewButtons() {
    if (views.length > 1)
      for (const place of document.querySelectorAll('.views'))
        place.append(...views.map((v, i) => {
          const button = element('button', {type: 'button', onclick: () => setView(i)}, v.name);
          button.dataset.view = i;
          return button;
        }));
  }
  const cellOf = (v, a, b) => views[v] && views[v].cells[a] ? views[v].cells[a][b] : null;

  // Blue above, orange below, dark between: told apart by all eyes. The ink on it is whichever contrasts more.
  function heat(deviation, scale) {
    const k = Math.min(1, Math.abs(deviation) / scale) ** .85, pole = deviation >= 0 ? [79, 163, 255] : [240, 138, 56];
    const rgb = [36, 44, 56].map((from, i) => Math.round(from + (pole[i] - from) * k));
    const linear = rgb.map(v => v / 255 <= .04045 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4);
    return {background: `rgb(${rgb})`, ink: .2126 * linear[0] + .7152 * linear[1] + .0722 * linear[2] > .18 ? '#000' : '#fff'};
  }
  const clear = c => c && known(c.low) && known(c.high) && (c.low > .5 || c.high < .5);
  const heatScale = Math.max(.1, ...views.flatMap(v => v.cells.flat()).map(uneven));
  let picked = null;
  function pairText(a, b) {
    const told = views.map((v, i) => [v, cellOf(i, a, b)]).filter(([, c]) => c && known(c.rate));
    if (a === b) return choices[a] + ' overall: ' + rated(strength[a]) + (strengthAfter ? '; after the change ' + rated(strengthAfter[a]) : '');
    if (!told.length) return choices[a] + ' and ' + choices[b] + ' have not met';
    const here = cellOf(view, a, b);
    const first = here && known(here.rate) ? [views[view], here] : told[0];
    const one = ([v, c]) => rated(c) + (known(c.matches) ? ', ' + grouped(c.matches) + ' matches' : '') + (v.long ? ', ' + v.long : '');
    return choices[a] + ' against ' + choices[b] + ': ' + [first, ...told.filter(t => t[0] !== first[0])].map(one).join('; ');
  }
  function pick(cell, focus) {
    const table = $('matrix').querySelector('table'), [a, b] = [Number(cell.dataset.a), Number(cell.dataset.b)];
    for (const other of table.querySelectorAll('td[tabindex="0"]')) other.tabIndex = -1;
    for (const other of table.querySelectorAll('.picked')) other.classList.remove('picked');
    cell.tabIndex = 0;
    cell.classList.add('picked');
    picked = [a, b];
    $('matrix').querySelector('.line').textContent = pairText(a, b);
    if (focus) cell.focus();
  }
  function drawHeat() {
    $('matrix').hidden = !views.length || choices.length < 2;
    if ($('matrix').hidden) return;
    const place = $('matrix').querySelector('.scroll'), held = place.contains(document.activeElement);
    const names = Math.min(150, place.clientWidth * .3, 16 + 7.2 * Math.max(...choices.map(c => c.length)));
    const size = Math.max(17, Math.min(64, Math.floor((place.clientWidth - names) / choices.length)));
    const table = element('table', {className: 'heat number'});
    table.setAttribute('role', 'grid');
    table.setAttribute('aria-label', 'How often the row wins against the column');
    table.style.setProperty('--names', names + 'px');
    table.style.setProperty('--cell', size + 'px');
    table.style.setProperty('--heads', Math.min(96, 14 + 6.6 * Math.max(...choices.map(c => c.length))) + 'px');
    table.append(element('tr', {}, element('th'), ...order.map(i => element('th', {title: choices[i]}, element('span', {}, choices[i])))));
    for (const a of order)
      table.append(element('tr', {}, element('th', {title: choices[a]}, choices[a]), ...order.map(b => {
        const c = cellOf(view, a, b), e = element('td', {tabIndex: -1, ariaLabel: pairText(a, b)});
        e.dataset.a = a;
        e.dataset.b = b;
        if (a === b || !c || !known(c.rate)) return e;
        const {background, ink} = heat(c.rate - .5, heatScale);
        e.style.background = background;
        e.style.color = ink;
        if (size >= 27) e.append(clear(c) ? element('b', {}, (100 * c.rate).toFixed(0)) : (100 * c.rate).toFixed(0));
        return e;
      })));
    place.replaceChildren(table);
    const cells = [...table.querySelectorAll('td')];
    cells[0].tabIndex = 0;
    if (picked) pick(cells.find(e => Number(e.dataset.a) === picked[0] && Number(e.dataset.b) === picked[1]), held);
    else $('matrix').querySelector('.line').textContent = 'Point at a square, tap it, or walk there with the arrow keys.';
    table.onpointerover = event => { if (event.target.closest('td')) pick(event.target.closest('td')); };
    table.addEventListener('focusin', event => { if (event.target.closest('td')) pick(event.target.closest('td')); });
    table.onclick = event => { if (event.target.closest('td')) pick(event.target.closest('td'), true); };
    table.onkeydown = event => {
      const at = cells.indexOf(event.target.closest('td')), n = choices.length, row = Math.floor(at / n), column = at % n;
      const to = {ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
        Home: [row, 0], End: [row, n - 1]}[event.key];
      if (!to || at < 0) return;
      event.preventDefault();
      pick(cells[n * Math.max(0, Math.min(n - 1, to[0])) + Math.max(0, Math.min(n - 1, to[1]))], true);
    };
    note('matrix', 'In percent, the row against the column; the strongest first' + (after ? ', as it was before the change' : '') + '. Blue: the row wins more; orange: ' +
      'it loses more; bold: the interval lies clear of 50%.' + (known(report.top_d) && choices.length > 1 ? ' The strongest beats ' +
      (report.top_d === 0 ? 'none' : report.top_d) + ' of the others by no more than 5 points.' : ''));
  }

  // ---- counters ----
  const kCounter = .52;
  function edges() {
    const all = [];
    for (const a of order) for (const b of order) {
      const c = cellOf(view, a, b);
      if (a !== b && c && known(c.low) && known(c.rate) && c.low > kCounter) all.push({a, b, c});
    }
    return all.sort((x, y) => y.c.rate - x.c.rate);
  }
  function drawCounters() {
    $('counters').hidden = !views.length || choices.length < 2;
    if ($('counters').hidden) return;
    const all = edges(), place = $('counters').querySelector('.plot'), many = order.length > kMany;
    const width = Math.max(260, place.clientWidth), height = order.length === 2 ? 100 : Math.min(width, innerWidth < 700 ? width : 470);
    const most = innerWidth < 500 ? 10 : 16, labels = many ? 84 : 30;
    const R = Math.min(order.length === 2 ? 160 : height / 2 - labels, width / 2 - (many ? labels : 14 + 6.6 * Math.min(most, Math.max(...choices.map(c => c.length)))));
    const cx = width / 2, cy = height / 2, r = many ? 5 : 9;
    const at = new Map(order.map((i, k) => [i, 2 * Math.PI * k / order.length - (order.length === 2 ? Math.PI : Math.PI / 2)]));
    const spot = (i, radius = R) => [cx + radius * Math.cos(at.get(i)), cy + radius * Math.sin(at.get(i))];
    const root = svg('svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'group', 'aria-label': 'Who counters whom'});
    for (const edge of all) {
      const [x1, y1] = spot(edge.a), [x2, y2] = spot(edge.b), d = Math.hypot(x2 - x1, y2 - y1) || 1, ux = (x2 - x1) / d, uy = (y2 - y1) / d;
      const thick = 1 + 14 * (edge.c.rate - .5), head = 5 + 1.6 * thick, tipX = x2 - ux * (r + 3), tipY = y2 - uy * (r + 3);
      const neckX = tipX - ux * head, neckY = tipY - uy * head, side = head * .45;
      edge.mark = svg('g', {class: 'edge'}, svg('line', {x1: x1 + ux * (r + 2), y1: y1 + uy * (r + 2), x2: neckX, y2: neckY, 'stroke-width': thick}),
        svg('polygon', {points: `${tipX},${tipY} ${neckX - uy * side},${neckY + ux * side} ${neckX + uy * side},${neckY - ux * side}`}));
      root.append(edge.mark);
    }
    const line = $('counters').querySelector('.line'), beats = (a, b, c) => choices[a] + ' beats ' + choices[b] + ' ' + rated(c, 0);
    const cycles = [], has = (a, b) => all.some(e => e.a === a && e.b === b);
    if (order.length <= 20)
      for (const a of order) for (const b of order) for (const c of order)
        if (a < b && a < c && b !== c && has(a, b) && has(b, c) && has(c, a)) cycles.push([a, b, c, a].map(i => choices[i]).join(' > '));
    const rest = !all.length ? 'Nobody counters anybody by more than ' + (100 * kCounter - 50).toFixed(0) + ' points.'
      : several(all.length, 'counter') + '; the strongest: ' + beats(all[0].a, all[0].b, all[0].c) + '.' +
        (cycles.length ? ' In circles: ' + cycles.slice(0, 2).join('; ') + (cycles.length > 2 ? ' and ' + (cycles.length - 2) + ' more' : '') + '.' : '');
    function light(i) {
      root.classList.toggle('lit', i !== null);
      for (const e of all) e.mark.setAttribute('class', 'edge' + (e.a === i ? ' out' : e.b === i ? ' in' : ''));
      if (i === null) { line.textContent = rest; return; }
      const named = (which, other) => all.filter(which).map(e => choices[other(e)] + ' ' + rated(e.c, 0)).join(', ') || 'nobody';
      line.textContent = choices[i] + ' counters ' + named(e => e.a === i, e => e.b) + '; is countered by ' +
        named(e => e.b === i, e => e.a) + '.';
    }
    for (const i of order) {
      const angle = at.get(i), [x, y] = spot(i), [lx, ly] = spot(i, R + r + 6), left = Math.cos(angle) < -.05, middle = Math.abs(Math.cos(angle)) <= .05;
      const turn = many ? {transform: `rotate(${(angle * 180 / Math.PI) + (left ? 180 : 0)} ${lx} ${ly})`} : {};
      const name = svg('text', {x: lx, y: ly + (many ? 4 : middle ? (Math.sin(angle) < 0 ? -3 : 12) : 4),
        'text-anchor': many ? (left ? 'end' : 'start') : middle ? 'middle' : left ? 'end' : 'start', ...turn}, shorten(choices[i], many ? 12 : most));
      const beaten = all.filter(e => e.a === i).length, lost = all.filter(e => e.b === i).length;
      const node = svg('g', {class: 'node', tabindex: 0, role: 'img', 'aria-label': `${choices[i]}: counters ${beaten}, countered by ${lost}`},
        svg('circle', {cx: x, cy: y, r: many ? 12 : 20, class: 'hit'}), svg('circle', {cx: x, cy: y, r, class: 'dot'}), name);
      node.onpointerenter = node.onfocus = node.onclick = () => light(i);
      node.onpointerleave = node.onblur = () => light(null);
      root.append(node);
    }
    place.replaceChildren(root);
    light(null);
    note('counters', (views[view].long ? capital(views[view].long) + '. ' : '') + 'An arrow goes to whom one beats, where the whole interval lies above ' +
      (100 * kCounter).toFixed(0) + '%; the thicker, the more often.');
  }

  // ---- by skill ----
  // How much b lies above a, with its interval if both have one.
  function difference(a, b) {
    if (!a || !b || !known(a.rate) || !known(b.rate)) return null;
    const d = b.rate - a.rate;
    if (![a.low, a.high, b.low, b.high].every(known)) return {rate: d};
    return {rate: d, low: d - Math.hypot(b.rate - b.low, a.high - a.rate), high: d + Math.hypot(b.high - b.rate, a.rate - a.low)};
  }
  function drawBands() {
    const bands = list('bands');
    $('bands').hidden = !bands.length;
    if (!bands.length) return;
    const of = name => bands.map(b => (b.options || []).find(o => o.name === name) || null);
    const series = order.map(i => ({name: choices[i], cells: of(choices[i])}));
    if (!choices.length) series.push({name: 'Going first', cells: bands.map(b => b.seat_advantage || null)});
    const shown = series.filter(s => s.cells.some(c => c && known(c.rate)));
    for (const s of shown) s.change = difference(s.cells[0], last(s.cells));
    const some = shown.flatMap(s => s.cells).filter(Boolean).flatMap(c => [c.rate, c.low, c.high]).filter(known);
    const low = Math.min(.46, ...some), high = Math.max(.54, ...some), count = bands.length;
    const X = k => count > 1 ? 4 + 92 * k / (count - 1) : 50, Y = v => 58 - 56 * (v - low) / (high - low || 1);
    const path = cells => cells.map((c, k) => c && known(c.rate) ? [X(k), Y(c.rate)] : null).filter(Boolean).map(p => p.join()).join(' ');
    shown.sort((a, b) => (b.change ? b.change.rate : -9) - (a.change ? a.change.rate : -9));
    const place = $('bands').querySelector('.multiples');
    place.replaceChildren(...shown.map(s => {
      const tone = s.change && s.change.low > 0 ? 'up' : s.change && s.change.high < 0 ? 'down' : 'flat';
      const root = svg('svg', {viewBox: '0 0 100 60', preserveAspectRatio: 'none', 'aria-hidden': 'true'});
      root.append(svg('line', {x1: 0, x2: 100, y1: Y(.5), y2: Y(.5), class: 'even'}));
      for (const other of shown.length > 24 ? [] : shown) if (other !== s) root.append(svg('polyline', {points: path(other.cells), class: 'other'}));
      const whole = s.cells.every(c => c && known(c.low) && known(c.high));
      if (whole && count > 1) root.append(svg('polygon', {class: 'area', points: [...s.cells.map((c, k) => X(k) + ',' + Y(c.high)),
        ...s.cells.map((c, k) => X(k) + ',' + Y(c.low)).reverse()].join(' ')}));
      root.append(svg('polyline', {points: path(s.cells), class: 'own'}));
      s.cells.forEach((c, k) => { if (c && known(c.rate)) root.append(svg('path', {d: `M${X(k)} ${Y(c.rate)}h.001`, class: 'point'})); });
      const from = s.cells[0], to = last(s.cells);
      const box = element('div', {className: 'multiple ' + tone, tabIndex: 0}, element('div', {className: 'name', title: s.name}, s.name),
        element('div', {className: 'shift'}, s.change && count > 1 ? signed(100 * s.change.rate) : '', element('span', {className: 'dim'},
          s.change && count > 1 ? within(interval(s.change)) : '')), root,
        element('div', {className: 'ends dim'}, element('span', {}, percent(from && from.rate, 0)), ...(count > 1 ? [element('span', {}, percent(to && to.rate, 0))] : [])));
      box.dataset.tip = s.name + '\n' + bands.map((b, k) => b.name + ': ' + rated(s.cells[k])).join('\n');
      return box;
    }));
    const found = $('bands').querySelector('.found'), first = bands[0].name, best = last(bands).name;
    const tell = (which, says) => {
      const some = shown.filter(which);
      if (some.length && count > 1) found.append(element('p', {}, says + some.slice(0, 4).map(s => s.name + ', ' + rated(s.cells[0], 0) + ' among ' + first + ', ' +
        rated(last(s.cells), 0) + ' among ' + best).join('; ') + (some.length > 4 ? ' and ' + (some.length - 4) + ' more' : '') + '.'));
    };
    const ends = s => s.change && known(s.change.low);
    if (choices.length) {
      tell(s => ends(s) && s.change.low > 0 && last(s.cells).low > kCounter && s.cells[0].low <= kCounter, 'What only strong players get out of it: ');
      tell(s => ends(s) && s.change.high < 0 && s.cells[0].low > kCounter && last(s.cells).low <= kCounter, 'What works only on weak players: ');
      if (!found.childNodes.length && count > 1 && shown.length) found.append(element('p', {}, 'No ' + noun + ' is strong at one end of the skills alone.'));
    }
    note('bands', shown.length ? 'Before any change, each ' + (choices.length ? noun : 'side') + ' alone, from ' + first + (count > 1 ? ' (left) to ' + best + ' (right)' : '') +
      ': its rate, in colour its interval, and the change between both ends in points; grey: the others; dashed: 50%; the scale goes from ' +
      percent(low, 0) + ' to ' + percent(high, 0) + '.' : '');
    const elo = bands.some(b => known(b.elo)), steps = bands.some(b => known(b.steps));
    const column = (name, value) => bands.some(b => b[name]) ? [value] : [];
    $('bands').querySelector('table').append(
      rowOf('th', ['players', ...(elo ? ['Elo'] : []), ...(steps ? ['steps trained'] : []), ...column('seat_advantage', 'first side wins'),
        ...column('draws', 'draws'), ...column('length', 'length in steps')]),
      ...bands.map(b => rowOf('td', [b.name, ...(elo ? [b.elo === 0 ? '0' : signed(b.elo, 0)] : []), ...(steps ? [grouped(b.steps)] : []),
        ...column('seat_advantage', figure(percent(b.seat_advantage && b.seat_advantage.rate), interval(b.seat_advantage))),
        ...column('draws', figure(percent(b.draws && b.draws.rate), interval(b.draws))),
        ...column('length', figure(plain(b.length && known(b.length.mean) ? Math.round(b.length.mean * 10) / 10 : null), interval(b.length, 1)))])));
  }

  // ---- sensitivities ----
  function drawSensitivities() {
    const all = list('sensitivities').filter(s => (s.effects || []).length);
    $('sensitivities').hidden = !all.length;
    if (!all.length) return;
    const named = new Set(all.flatMap(s => s.effects.map(e => e.choice)));
    const columns = [...order.map(i => choices[i]).filter(name => named.delete(name)), ...named];
    const most = Math.max(.5, ...all.flatMap(s => s.effects.map(e => Math.abs(e.points ?? 0))));
    const swing = s => Math.max(...s.effects.map(e => Math.abs(e.points ?? 0)));
    const table = element('table', {className: 'number steps'}, rowOf('th', ['parameter, step', ...columns]));
    for (const s of [...all].sort((a, b) => swing(b) - swing(a))) {
      const row = element('tr', {}, element('td', {}, ...breakable(s.parameter), ' ', element('span', {className: 'dim'}, (s.step > 0 ? '+' : '') + plain(s.step).replace('-', '−'))));
      for (const name of columns) {
        const e = s.effects.find(effect => effect.choice === name), cell = element('td');
        if (e && known(e.points)) {
          const {background, ink} = heat(e.points, most), sure = known(e.low) && known(e.high) && (e.low > 0 || e.high < 0);
          cell.style.background = background;
          cell.style.color = ink;
          cell.append(element(sure ? 'b' : 'span', {}, signed(e.points)), element('small', {}, interval(e, 1)));
        }
        row.append(cell);
      }
      table.append(row);
    }
    $('sensitivities').querySelector('.scroll').replaceChildren(table);
    note('sensitivities', 'Points of win rate overall that one step more of the parameter gives (blue) or takes (orange), with 95% intervals; bold: clear of nothing at all. ' +
      'The strongest lever first.');
  }

  // ---- the front ----
  function drawFront() {
    const all = list('front').filter(f => known(f.size) && known(f.gap)).sort((a, b) => a.size - b.size);
    $('front').hidden = !all.length;
    if (!all.length) return;
    const place = $('front').querySelector('.plot'), width = Math.max(260, place.clientWidth), height = innerWidth < 700 ? 230 : 280;
    const left = 40, right = width - 14, top = 28, bottom = height - 40;
    const far = Math.max(...all.map(f => f.size)) * 1.06 || 1, high = Math.max(...all.map(f => f.gap)) * 1.1 || 1;
    const X = v => left + (right - left) * v / far, Y = v => bottom - (bottom - top) * v / high;
    const root = svg('svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'group', 'aria-label': 'Size of the change and remaining gap'});
    for (const v of ticks(0, high, 4)) root.append(svg('line', {x1: left, x2: right, y1: Y(v), y2: Y(v), class: 'grid'}),
      svg('text', {x: left - 7, y: Y(v) + 4, 'text-anchor': 'end'}, plain(v)));
    for (const v of ticks(0, far, width / 110)) root.append(svg('text', {x: X(v), y: bottom + 17, 'text-anchor': 'middle'}, plain(v)));
    root.append(svg('line', {x1: left, x2: right, y1: bottom, y2: bottom, class: 'axis'}),
      svg('text', {x: (left + right) / 2, y: height - 5, 'text-anchor': 'middle'}, 'size of the change'),
      svg('text', {x: 2, y: 12}, 'worst gap left, in points'));
    // A step line: with a change of this size, no smaller gap was found.
    root.append(svg('polyline', {class: 'stairs', points: all.map((f, k) => (k ? X(f.size) + ',' + Y(all[k - 1].gap) + ' ' : '') + X(f.size) + ',' + Y(f.gap)).join(' ')}));
    const line = $('front').querySelector('.line'), says = f => 'Size ' + plain(Number(f.size.toPrecision(3))) + ' leaves ' + f.gap.toFixed(1) + ' points: ' +
      ((f.changes || []).length ? settings(f.changes, 8) : 'no change') + (f.chosen ? ' (chosen)' : '') + '.';
    const chosen = all.find(f => f.chosen);
    for (const f of all) {
      const node = svg('g', {class: 'node' + (f.chosen ? ' chosen' : ''), tabindex: 0, role: 'img', 'aria-label': says(f)},
        svg('circle', {cx: X(f.size), cy: Y(f.gap), r: 13, class: 'hit'}), svg('circle', {cx: X(f.size), cy: Y(f.gap), r: f.chosen ? 7 : 5, class: 'dot'}));
      if (f.chosen) {
        const roomy = X(f.size) < right - 60;
        node.append(svg('text', {x: X(f.size) + (roomy ? 9 : 2), y: Y(f.gap) - 9, 'text-anchor': roomy ? 'start' : 'end', class: 'over'}, 'chosen'));
      }
      node.onpointerenter = node.onfocus = node.onclick = () => { line.textContent = says(f); };
      root.append(node);
    }
    place.replaceChildren(root);
    line.textContent = says(chosen || all[0]);
    note('front', 'Each point is the best change found of its size; point at one to see it. The gaps are what the search expects; the tables above are measured anew.');
  }

  // ---- seats, draws, length ----
  function drawPace() {
    const now = report.seat_advantage, was = report.seat_advantage_before;
    const rows = [['draws', report.draws && figure(percent(report.draws.rate), interval(report.draws))],
      ['length', report.length && figure(plain(known(report.length.mean) ? Math.round(report.length.mean * 10) / 10 : null) + ' steps', interval(report.length, 1))]]
      .concat(report.exact ? [['perfect play, solved', figure(plain(Math.round(report.exact.value * 1e4) / 1e4) + ' to the side that goes first', '')]] : [])
      .filter(r => r[1]);
    $('pace').hidden = !now && !was && !rows.length;
    const target = list('targets').find(t => t.unit === 'rate' && /first|seat/i.test(t.name));
    if (now || was) bars($('pace').querySelector('.bars'), [{name: 'goes first', sets: was && now && (changed || after) ? sets(was, now) : sets(now || was),
      band: target ? wanted(target) : null}]);
    $('pace').querySelector('table').append(...rows.map(r => rowOf('td', r)));
  }

  // ---- the mix, and what is dominated ----
  function drawNash() {
    const shares = list('nash'), was = changed && report.nash_before && report.nash_before.length ? report.nash_before : null;
    $('nash').hidden = !shares.length || !choices.length;
    if ($('nash').hidden) return;
    const some = order.filter(i => shares[i] > .005 || (was && was[i] > .005)).sort((a, b) => shares[b] - shares[a]), most = Math.max(...shares, ...(was || []));
    const bar = (share, className) => {
      const i = element('i', {className});
      i.style.width = 100 * (share || 0) / (most || 1) + '%';
      return i;
    };
    $('nash').querySelector('.shares').replaceChildren(...some.map(i => element('div', {className: 'share'}, element('span', {title: choices[i]}, choices[i]),
      element('div', {}, ...(was ? [bar(was[i], 'hollow')] : []), bar(shares[i], '')),
      element('span', {className: 'number'}, element('b', {}, percent(shares[i], 0)), ...(was ? [element('span', {className: 'dim'}, ' was ' + percent(was[i], 0))] : [])))));
    const unused = choices.length - some.length, widest = Math.log(choices.length);
    $('nash').querySelector('.facts').textContent = (unused ? 'Never in it: ' + order.filter(i => !some.includes(i)).map(i => choices[i]).slice(0, 12).join(', ') +
      (unused > 12 ? ' and ' + (unused - 12) + ' more' : '') + '. ' : '') + (known(report.nash_entropy) ? 'Entropy ' + report.nash_entropy.toFixed(2) + ' of at most ' + widest.toFixed(2) +
      ' nats (ln ' + choices.length + '): as varied as ' + Math.exp(report.nash_entropy).toFixed(1) + ' in equal use.' : '');
    note('nash', 'The mix of choices that no other beats (Nash), from the matrix’s means: it jumps easily, and has no interval of its own.' + (was ? ' Hollow: before the change.' : ''));
  }
  function drawDominated() {
    const now = report.dominated, was = report.dominated_before;
    $('dominated').hidden = !choices.length || (!now && !was);
    if ($('dominated').hidden) return;
    const told = all => all.length ? all.map(d => d.name + ' by ' + d.by).join('; ') : 'none';
    const rows = changed && was ? [['before', told(was)], ['after', told(now || [])]] : [['', told(now || was)]];
    $('dominated').querySelector('div').append(...rows.map(([when, what]) => element('p', {}, ...(when ? [element('span', {className: 'dim'}, when + ': ')] : []), what)));
    note('dominated', 'Dominated: against every opponent, the other does at least as well.');
  }

  // ---- beside real players ----
  function drawReal() {
    const real = report.real;
    $('real').hidden = !real || !real.matrix || !real.matrix.length || !before;
    if ($('real').hidden) return;
    const pairs = [];
    for (let a = 0; a < choices.length; ++a)
      for (let b = a + 1; b < choices.length; ++b) {
        const ours = before[a][b], theirs = real.matrix[a][b], d = difference(ours, theirs);
        if (d) pairs.push(d.rate < 0 ? {a: b, b: a, ours: before[b][a], theirs: real.matrix[b][a], d: difference(before[b][a], real.matrix[b][a]) || d} : {a, b, ours, theirs, d});
      }
    pairs.sort((x, y) => Math.abs(y.d.rate) - Math.abs(x.d.rate));
    const apart = pairs.filter(p => known(p.d.low) && (p.d.low > 0 || p.d.high < 0)).length;
    $('real').querySelector('p').textContent = (real.file ? real.file + ': ' : '') + (known(real.matches) ? grouped(real.matches) + ' matches of real players. ' : '') +
      (pairs.length ? 'The pairs differ by ' + (100 * pairs.reduce((sum, p) => sum + Math.abs(p.d.rate), 0) / pairs.length).toFixed(1) +
      ' points on average; ' + apart + ' of ' + pairs.length + ' by more than chance explains. The farthest apart:' : 'No pair has been played by both.');
    if (pairs.length) $('real').querySelector('table').append(rowOf('th', ['pair', 'bots', 'people', 'difference']), ...pairs.slice(0, 8).map(p => rowOf('td',
      [choices[p.a] + ' against ' + choices[p.b], figure(percent(p.ours.rate, 0), interval(p.ours, 100, 0)), figure(percent(p.theirs.rate, 0), interval(p.theirs, 100, 0)),
        figure(signed(100 * p.d.rate, 0), interval(p.d, 100, 0))])));
  }

  // ---- how sure, and what it took ----
  function drawSpent() {
    const spent = report.spent || {};
    const rows = [['confidence in the verdict', known(report.confidence) ? percent(report.confidence) : null],
      ['instrument bias, mean', known(report.instrument_bias) ? points(report.instrument_bias) : null],
      ['instrument bias, worst', known(report.instrument_bias_worst) ? points(report.instrument_bias_worst) : null],
      ['matches played', known(spent.matches) ? grouped(spent.matches) : known(report.matches) ? grouped(report.matches) : null],
      ['trainings', known(spent.trainings) ? grouped(spent.trainings) : null], ['steps of training', known(spent.steps) ? grouped(spent.steps) : null],
      ['time', known(spent.seconds) ? duration(spent.seconds) : known(report.seconds) ? duration(report.seconds) : null],
      ['seed', report.seed ?? null]].filter(r => r[1] !== null);
    const replays = list('replays');
    $('spent').hidden = !rows.length && !replays.length;
    $('spent').querySelector('table').append(...rows.map(r => rowOf('td', r)));
    if (replays.length) $('spent').querySelector('.replays').append(element('h2', {}, 'Matches to watch'), element('ul', {}, ...replays.map(r =>
      element('li', {}, element('a', {href: './' + r.html.split('/').map(encodeURIComponent).join('/')}, r.title)))));
  }
  function explain() {
    const bias = known(report.instrument_bias) || known(report.instrument_bias_worst);
    $('meaning').querySelector('div').append(...[
      'A rate is how often one side wins, a draw counted half. An overall rate is the mean over all other choices, each counted alike, however rarely people would pick it.',
      'Figures come from matches between trained players of the same strength. An interval says how far chance alone may have moved a figure; 19 of 20 such intervals hold the truth, so of many figures some are off by more.',
      bias ? 'The instrument bias is how far this way of measuring was found to be off, in points of win rate. It comes on top of the intervals, which do not know it.' : '',
      'They say what follows from the rules as these players play them. People may not have found yet what they found, may have found more, and tire, aim and misread as they do not. The rates by skill hint at how much that matters: weak players here are half-trained ones, not human beginners.',
      'They do not say what is fun. A choice may win half of its matches and be dull, or be hated by those who lose to it; a counter may be what makes it a game. 50% is a target like any other.',
      'A change has been tried within its bounds alone. What else in the game depends on the same parameters (other modes, maps, stories) was not looked at.'
    ].filter(Boolean).map(text => element('p', {}, text)));
  }

  // ---- tips ----
  const tip = $('tip');
  function showTip(event) {
    const at = event.target.closest && event.target.closest('[data-tip]');
    tip.hidden = !at;
    if (!at) return;
    tip.textContent = at.dataset.tip;
    const box = at.getBoundingClientRect(), own = tip.getBoundingClientRect();
    tip.style.left = Math.max(6, Math.min(innerWidth - own.width - 6, box.left + box.width / 2 - own.width / 2)) + 'px';
    tip.style.top = (box.top - own.height - 6 > 0 ? box.top - own.height - 6 : box.bottom + 6) + 'px';
  }
  for (const type of ['pointerover', 'pointerdown', 'focusin']) document.addEventListener(type, showTip);
  document.addEventListener('focusout', () => { tip.hidden = true; });
  document.addEventListener('scroll', () => { tip.hidden = true; }, {passive: true});

  // What depends on the width there is.
  function drawMeasured() {
    setView(view);
    drawFront();
  }
  function hideEmptyColumns() {
    for (const column of document.querySelectorAll('.column')) column.hidden = [...column.children].every(section => section.hidden);
  }
  header();
  targets();
  showChanges();
  drawOverall();
  viewButtons();
  drawBands();
  drawSensitivities();
  drawPace();
  drawNash();
  drawDominated();
  drawReal();
  drawSpent();
  explain();
  drawMeasured();
  hideEmptyColumns();
  drawMeasured();
  whenWidthChanges(() => {
    tip.hidden = true;
    drawMeasured();
  });

  // For tests and for tools that look at the page.
  window.balance = {headline: headline(), pair: (a, b) => pairText(choices.indexOf(a), choices.indexOf(b)),
    counters: () => edges().map(e => [choices[e.a], choices[e.b]])};
})();
