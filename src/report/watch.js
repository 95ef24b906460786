// Plays a match: the data of watch_page.cpp. Everything hangs on one number, `position`, in steps from the start.
(() => {
  const data = JSON.parse($('data').textContent);
  const arena = data.kind === 'arena';
  const stage = data.stage || {};
  const last = data.steps;
  const colours = ['#4fa3ff', '#ff7d5c', '#7bd88f', '#e8c468', '#b48cff', '#5fd0d0', '#ff8ac4', '#a9b4c4'];
  const colourOf = i => colours[((i % colours.length) + colours.length) % colours.length];
  const stepSeconds = data.step_seconds > 0 ? data.step_seconds : stage.step_seconds > 0 ? stage.step_seconds : 0.8;
  const speeds = [0.25, 0.5, 1, 2, 4, 8, 16];
  const teamCount = 1 + Math.max(...data.teams);

  // The series of src/report/series.hpp.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const digits = new Uint8Array(128);
  for (let i = 0; i < 64; ++i) digits[alphabet.charCodeAt(i)] = i;
  function series(text) {
    const values = [];
    let at = 0, value = 0;
    const next = () => {
      for (let sum = 0, unit = 1;; unit *= 32) {
        const digit = digits[text.charCodeAt(at++)];
        sum += (digit & 31) * unit;
        if (digit < 32) return sum;
      }
    };
    while (at < text.length) {
      const z = next();
      value += z % 2 ? -(z + 1) / 2 : z / 2;
      values.push(value);
      if (z === 0) for (let more = next(); more > 0; --more) values.push(value);
    }
    return values;
  }

  let position = 0, playing = false, speed = 1, fog = -1, chosen = -1, dirty = true;
  const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
  const frameAt = () => Math.min(last, Math.floor(position + 1e-6));
  const clock = seconds => {
    const s = Math.max(0, Math.floor(seconds + 1e-6));
    return Math.floor(s / 60) + ':' + String(s % 60).padStart(2, '0');
  };
  const short = n => Math.abs(n) >= 10000 ? (n / 1000).toFixed(0) + 'k' : Math.abs(n) >= 1000 ? (n / 1000).toFixed(1) + 'k'
    : String(Math.round(n));

  // ---- who plays ----
  const teamName = team => String((stage.teams || [])[team] ?? (teamCount === data.seats ? seatName(team) : 'Team ' + (team + 1)));
  function seatName(seat) {
    const name = data.players[seat];
    const shared = data.players.filter(p => p === name).length > 1;
    return name ? (shared && data.seats > 1 ? name + ' ' + (seat + 1) : name) : 'Seat ' + (seat + 1);
  }
  $('title').textContent = document.title;
  const who = team => {  // the players of a team, once each
    const names = new Set(data.players.filter((p, seat) => p && data.teams[seat] === team));
    return [...names].join(', ');
  };

  // ---- the win estimate: of the first team against the second, or one curve for each ----
  // Two teams: from 1 (the first wins) to 0. Otherwise what each expects, as it is. Where rewards come besides the
  // result, what is expected goes beyond it, and tanh brings it back: a lead of 1 is an estimate of 88%.
  const curves = [];
  let isWin = false;
  (() => {
    const values = data.values;
    if (!values.length) return;
    const most = Math.max(...values.flat().map(v => v === null ? 0 : Math.abs(v)));
    if (values.length === 2) {
      let now = null;
      const curve = [];
      for (let t = 0; t < last; ++t) {
        const [a, b] = [values[0][t], values[1][t]];
        if (a !== null && b !== null) now = (a - b) / 2;
        else if (a !== null) now = a;
        else if (b !== null) now = -b;
        curve.push(now);
      }
      const rewarded = data.returns.some((r, seat) => Math.abs(r - data.results[data.teams[seat]]) > 1e-6);
      isWin = data.results.length === 2 && data.results.every(r => Math.abs(r) <= 1) && (rewarded || most <= 1.5);
      const estimate = v => v === null || !isWin ? v : rewarded ? (1 + Math.tanh(v)) / 2 : clamp((v + 1) / 2, 0, 1);
      const all = [...curve.map(estimate), isWin ? (1 + (data.results[0] - data.results[1]) / 2) / 2 : now];
      if (curve.some(v => v !== null)) curves.push(all);
    } else {
      for (const team of values) {
        let now = null;
        const curve = team.map(v => now = v === null ? now : v);
        curve.push(now);
        if (curve.some(v => v !== null)) curves.push(curve);
      }
    }
  })();

  // ---- drawing on a canvas of the size it has ----
  function fit(canvas) {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const c = canvas.getContext('2d');
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    return {c, width, height, ratio};
  }
  function polygon(c, x, y, r, corners, turn = -Math.PI / 2) {
    c.beginPath();
    for (let i = 0; i < corners; ++i)
      c.lineTo(x + r * Math.cos(turn + i * 2 * Math.PI / corners), y + r * Math.sin(turn + i * 2 * Math.PI / corners));
    c.closePath();
  }
  const font = (size, weight = 400) => weight + ' ' + size + 'px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

  // ---- an arena ----
  const roles = {tank: '#8fb7d9', fighter: '#e0a158', marksman: '#8fd18a', mage: '#b995f5', support: '#f2d479',
    assassin: '#e77fa6', healer: '#f2d479'};
  function glyph(c, role, x, y, r, name) {  // what a role looks like: a shape within radius r
    c.beginPath();
    if (role === 'tank') {
      c.moveTo(x - r * .75, y - r * .7); c.lineTo(x + r * .75, y - r * .7); c.lineTo(x + r * .75, y + r * .1);
      c.quadraticCurveTo(x + r * .6, y + r * .7, x, y + r); c.quadraticCurveTo(x - r * .6, y + r * .7, x - r * .75, y + r * .1);
      c.closePath(); c.fill();
    } else if (role === 'fighter') {
      for (const s of [-1, 1]) {
        c.moveTo(x - s * r * .8, y + r * .8); c.lineTo(x + s * r * .8, y - r * .8);
        c.moveTo(x - s * r * .75, y + r * .2); c.lineTo(x - s * r * .15, y + r * .75);
      }
      c.lineWidth = r * .28; c.stroke();
    } else if (role === 'marksman') {
      c.arc(x - r * .35, y, r * .85, -1.25, 1.25); c.closePath();
      c.moveTo(x - r * .8, y); c.lineTo(x + r, y);
      c.moveTo(x + r * .55, y - r * .35); c.lineTo(x + r, y); c.lineTo(x + r * .55, y + r * .35);
      c.lineWidth = r * .2; c.stroke();
    } else if (role === 'mage') {
      for (let i = 0; i < 8; ++i) {
        const a = i * Math.PI / 4 - Math.PI / 2, q = i % 2 ? r * .36 : r;
        c.lineTo(x + q * Math.cos(a), y + q * Math.sin(a));
      }
      c.closePath(); c.fill();
    } else if (role === 'support' || role === 'healer') {
      const w = r * .3, l = r * .85;
      c.rect(x - w, y - l, 2 * w, 2 * l); c.rect(x - l, y - w, 2 * l, 2 * w); c.fill();
    } else if (role === 'assassin') {
      c.moveTo(x, y - r); c.lineTo(x + r * .4, y); c.lineTo(x, y + r); c.lineTo(x - r * .4, y); c.closePath(); c.fill();
    } else {
      c.font = font(r * 1.5, 700); c.textAlign = 'center'; c.textBaseline = 'middle';
      c.fillText(String(name || '?').slice(0, 1), x, y + r * .08);
    }
  }

  function makeArena() {
    const film = data.film;
    const [w, h] = stage.size;
    const scale = film.scale;
    const names = ['x', 'y', 'hp', 'max', 'level', 'gold', 'kills', 'deaths', 'respawn', 'seen', 'stunned', 'c0', 'c1', 'c2'];
    const heroes = (stage.heroes || []).map((hero, i) => {
      const columns = {};
      names.forEach((name, k) => columns[name] = series(film.heroes[i].columns[k]));
      return {...hero, team: hero.team || 0, columns, items: film.heroes[i].items};
    });
    const bySeat = new Map(heroes.map((hero, i) => [hero.seat ?? i, hero]));
    const creepsAt = Array.from({length: last + 1}, () => []);
    for (const c of film.creeps) {
      const creep = {born: c[0], team: c[1], kind: c[2], x: series(c[3]), y: series(c[4]), hp: series(c[5]), seen: series(c[6])};
      creep.x.forEach((_, i) => creepsAt[creep.born + i].push(creep));
    }
    const buildings = (stage.buildings || []).map((b, i) => ({...b, now: series(film.buildings[i])}));
    const score = film.score.map(series), gold = film.gold.map(series), seconds = series(film.t).map(t => t / 10);
    const hitColumns = film.hits.map(series);
    const hitsAt = Array.from({length: last + 2}, () => []);
    hitColumns[0].forEach((frame, i) => {
      const [x, y, dx, dy] = [1, 2, 3, 4].map(k => hitColumns[k][i] * 4 / scale);
      hitsAt[frame].push({x, y, dx, dy, team: hitColumns[5][i]});
    });
    const casts = [], kills = [], falls = [];
    for (const [frame, kind, ...rest] of film.events) {
      if (kind === 'cast') casts.push({frame, seat: rest[0], ability: rest[1], x: rest[2], y: rest[3], radius: rest[4] || 0});
      if (kind === 'kill') kills.push({frame, killer: rest[0], victim: rest[1]});
      if (kind === 'building' && buildings[rest[0]]) falls.push({frame, building: buildings[rest[0]]});
    }
    const alive = (hero, f) => hero.columns.respawn[f] <= 0 && hero.columns.hp[f] > 0;
    const shows = (hero, f) => alive(hero, f) && (fog < 0 || hero.team === fog || hero.columns.seen[f] > 0);
    const creepShows = (creep, f) => fog < 0 || creep.team === fog || creep.seen[f - creep.born] > 0;

    // Between frames a thing goes straight, unless it was put elsewhere.
    const far = Math.max(w, h) * scale * .12;
    function between(xs, ys, f, part) {
      let x = xs[f], y = ys[f];
      const x1 = xs[f + 1], y1 = ys[f + 1];
      if (x1 !== undefined && Math.hypot(x1 - x, y1 - y) < far) {
        x += (x1 - x) * part;
        y += (y1 - y) * part;
      } else if (x1 !== undefined && part > .5) {
        x = x1;
        y = y1;
      }
      return [x / scale, y / scale];
    }

    const ground = document.createElement('canvas'), shade = document.createElement('canvas');
    let groundKey = '';
    function drawGround(unit, ox, oy, width, height, ratio) {
      const key = [width, height, ratio].join();
      if (key === groundKey) return;
      groundKey = key;
      ground.width = Math.round(width * ratio);
      ground.height = Math.round(height * ratio);
      const c = ground.getContext('2d');
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      c.fillStyle = '#0d1117';
      c.fillRect(0, 0, width, height);
      c.translate(ox, oy);
      const land = c.createLinearGradient(0, 0, w * unit, 0);
      land.addColorStop(0, '#1b2a38'); land.addColorStop(.5, '#202b26'); land.addColorStop(1, '#34272a');
      c.fillStyle = land;
      c.beginPath(); c.roundRect(0, 0, w * unit, h * unit, unit); c.fill(); c.clip();
      let seed = 7;  // scattered tufts, the same every time
      const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
      for (let i = 0; i < 420; ++i) {
        c.fillStyle = random() < .5 ? '#ffffff08' : '#00000014';
        c.beginPath(); c.arc(random() * w * unit, random() * h * unit, (.2 + .7 * random()) * unit, 0, 7); c.fill();
      }
      c.lineCap = c.lineJoin = 'round';
      for (const [width2, style] of [[5.2, '#00000026'], [4.4, '#4a4638'], [3.4, '#57523f']])
        for (const lane of stage.lanes || []) {
          c.beginPath();
          for (const [x, y] of lane) c.lineTo(x * unit, y * unit);
          c.lineWidth = width2 * unit; c.strokeStyle = style; c.stroke();
        }
      for (const b of buildings) {
        if (b.kind !== 'base') continue;
        const glow = c.createRadialGradient(b.at[0] * unit, b.at[1] * unit, 0, b.at[0] * unit, b.at[1] * unit, 8 * unit);
        glow.addColorStop(0, colourOf(b.team) + '44'); glow.addColorStop(1, colourOf(b.team) + '00');
        c.fillStyle = glow;
        c.fillRect(0, 0, w * unit, h * unit);
      }
    }

    function bar(c, x, y, width, height, share, colour) {
      c.fillStyle = '#05080ccc';
      c.fillRect(x - width / 2 - 1, y - 1, width + 2, height + 2);
      c.fillStyle = colour;
      c.fillRect(x - width / 2, y, width * clamp(share, 0, 1), height);
    }

    // Light for the fog to be cut with: a soft disc.
    const light = document.createElement('canvas');
    light.width = light.height = 128;
    (() => {
      const l = light.getContext('2d'), soft = l.createRadialGradient(64, 64, 44, 64, 64, 64);
      soft.addColorStop(0, '#000'); soft.addColorStop(1, '#0000');
      l.fillStyle = soft;
      l.fillRect(0, 0, 128, 128);
    })();
    function drawFog(c, view, f, part) {
      const k = Math.min(.5, 560 / view.width);  // soft edges need no more
      shade.width = Math.ceil(view.width * k);
      shade.height = Math.ceil(view.height * k);
      const s = shade.getContext('2d');
      s.setTransform(k, 0, 0, k, 0, 0);
      s.fillStyle = '#04070bb8';
      s.fillRect(view.ox, view.oy, w * view.unit, h * view.unit);
      s.globalCompositeOperation = 'destination-out';
      const see = (x, y, sight) => {
        const r = sight * 1.05 * view.unit;
        s.drawImage(light, view.ox + x * view.unit - r, view.oy + y * view.unit - r, 2 * r, 2 * r);
      };
      for (const hero of heroes)
        if (hero.team === fog && alive(hero, f)) see(...between(hero.columns.x, hero.columns.y, f, part), hero.sight || 8);
      for (const creep of creepsAt[f])
        if (creep.team === fog) see(...between(creep.x, creep.y, f - creep.born, part), stage.creep_sight || 8);
      for (const b of buildings) if (b.team === fog && b.now[f] > 0) see(b.at[0], b.at[1], b.sight || 8);
      c.drawImage(shade, 0, 0, view.width, view.height);
    }

    function drawBuilding(c, b, f, X, Y, unit) {
      const x = X(b.at[0]), y = Y(b.at[1]), base = b.kind === 'base';
      const r = base ? Math.max(12, 2.6 * unit) : Math.max(7, 1.35 * unit);
      const hp = b.now[f];
      if (hp <= 0) {
        polygon(c, x, y, r * .8, 6);
        c.fillStyle = '#00000055'; c.fill();
        c.strokeStyle = '#77808c88'; c.lineWidth = 1.5; c.setLineDash([3, 3]); c.stroke(); c.setLineDash([]);
        return;
      }
      polygon(c, x, y + r * .12, r * 1.08, base ? 8 : 6, base ? Math.PI / 8 : -Math.PI / 2);
      c.fillStyle = '#0008'; c.fill();
      polygon(c, x, y, r, base ? 8 : 6, base ? Math.PI / 8 : -Math.PI / 2);
      c.fillStyle = '#27303d'; c.fill();
      c.lineWidth = Math.max(1.5, r * .16); c.strokeStyle = colourOf(b.team); c.stroke();
      c.fillStyle = colourOf(b.team);
      if (base) {
        polygon(c, x, y, r * .52, 4); c.fill();
        c.globalAlpha = .4; c.lineWidth = 1.5;
        c.beginPath(); c.arc(x, y, r * .72, 0, 7); c.stroke(); c.globalAlpha = 1;
      } else {
        c.beginPath(); c.arc(x, y, r * .36, 0, 7); c.fill();
      }
      bar(c, x, y + r * 1.25, r * 2.1, Math.max(3, r * .2), hp / b.hp, hp / b.hp > .35 ? colourOf(b.team) : '#f05252');
    }

    function drawHero(c, hero, f, part, X, Y, R, wide) {
      const col = hero.columns;
      const [wx, wy] = between(col.x, col.y, f, part);
      const x = X(wx), y = Y(wy);
      const team = colourOf(hero.team);
      if (heroes[chosen] === hero) {
        c.beginPath(); c.arc(x, y, R * 1.45, 0, 7);
        c.strokeStyle = '#e8c468'; c.lineWidth = 2; c.setLineDash([4, 4]); c.stroke(); c.setLineDash([]);
      }
      c.beginPath(); c.ellipse(x, y + R * .85, R * .9, R * .35, 0, 0, 7); c.fillStyle = '#0007'; c.fill();
      c.beginPath(); c.arc(x, y, R, 0, 7);
      c.fillStyle = '#141a23'; c.fill();
      c.lineWidth = Math.max(2, R * .2); c.strokeStyle = team; c.stroke();
      c.fillStyle = c.strokeStyle = roles[hero.role] || '#cfd6e0';
      glyph(c, hero.role, x, y, R * .56, hero.name);
      const width = R * 2.5, height = Math.max(4, R * .3), top = y - R * 1.62;
      const share = col.max[f] > 0 ? col.hp[f] / col.max[f] : 0;
      bar(c, x + R * .3, top, width, height, share, share > .3 ? team : '#f05252');
      c.beginPath(); c.arc(x + R * .3 - width / 2 - R * .15, top + height / 2, Math.max(6.5, R * .5), 0, 7);
      c.fillStyle = '#0b0f14'; c.fill(); c.lineWidth = 1.2; c.strokeStyle = team; c.stroke();
      c.fillStyle = '#fff'; c.textAlign = 'center'; c.textBaseline = 'middle';
      c.font = font(Math.max(9, R * .6), 700);
      c.fillText(col.level[f], x + R * .3 - width / 2 - R * .15, top + height / 2 + .5);
      if (wide) {
        c.font = font(Math.max(10, R * .62), 600);
        c.lineWidth = 3; c.strokeStyle = '#0b0f14cc';
        c.strokeText(hero.name, x, y + R * 1.65);
        c.fillStyle = '#e6ebf2'; c.fillText(hero.name, x, y + R * 1.65);
      }
      if (col.stunned[f] > 0) {
        c.fillStyle = '#ffe27a';
        for (let i = 0; i < 3; ++i) {
          const a = position * 2.2 + i * 2.1;
          polygon(c, x + R * .8 * Math.cos(a), y - R * .95 + R * .25 * Math.sin(a), R * .22, 4, a); c.fill();
        }
      }
    }

    const from = (list, frame) => {  // the first entry at or after this frame
      let low = 0, high = list.length;
      while (low < high) { const mid = (low + high) >> 1; if (list[mid].frame < frame) low = mid + 1; else high = mid; }
      return low;
    };

    function draw() {
      const {c, width, height, ratio} = fit($('map'));
      if (!width || !height) return;
      const margin = width > 700 ? 10 : 2;
      const unit = Math.min((width - 2 * margin) / w, (height - 2 * margin) / h);
      const ox = (width - w * unit) / 2, oy = (height - h * unit) / 2;
      const X = x => ox + x * unit, Y = y => oy + y * unit;
      const f = frameAt(), part = clamp(position - f, 0, 1);
      const wide = unit > 6;
      drawGround(unit, ox, oy, width, height, ratio);
      c.drawImage(ground, 0, 0, width, height);
      for (const b of buildings) drawBuilding(c, b, f, X, Y, unit);
      if (fog >= 0) drawFog(c, {ox, oy, unit, width, height}, f, part);
      for (const fall of falls) {
        const age = position - fall.frame + 1;
        if (age < 0 || age > 4) continue;
        c.beginPath(); c.arc(X(fall.building.at[0]), Y(fall.building.at[1]), (1 + 1.6 * age) * unit, 0, 7);
        c.strokeStyle = '#ffd27a'; c.globalAlpha = 1 - age / 4; c.lineWidth = 3; c.stroke(); c.globalAlpha = 1;
      }
      const small = Math.max(2.2, .42 * unit);
      for (const creep of creepsAt[f]) {
        if (!creepShows(creep, f)) continue;
        const i = f - creep.born, [wx, wy] = between(creep.x, creep.y, i, part);
        const x = X(wx), y = Y(wy), r = small * (1 + .25 * (creep.kind > 1));
        c.fillStyle = colourOf(creep.team);
        c.strokeStyle = '#0b0f14'; c.lineWidth = 1;
        if (creep.kind % 2) polygon(c, x, y, r * 1.2, 3); else { c.beginPath(); c.arc(x, y, r, 0, 7); }
        c.fill(); c.stroke();
        if (creep.hp[i] < 100 && unit > 4) bar(c, x, y - r * 2.1, r * 2.4, Math.max(1.5, r * .35), creep.hp[i] / 100, '#cfd6e0');
      }
      for (let i = from(casts, f - 1); i < casts.length && casts[i].frame <= f + 1; ++i) {
        const cast = casts[i], p = (position - cast.frame + 1) / 2, hero = bySeat.get(cast.seat);
        if (p < 0 || p > 1 || !hero || !(fog < 0 || hero.team === fog || hero.columns.seen[f] > 0)) continue;
        const ease = 1 - (1 - p) * (1 - p), r = Math.max(cast.radius, 1.2) * unit;
        const colour = roles[hero.role] || '#cfd6e0';
        const x = X(cast.x), y = Y(cast.y);
        const [hx, hy] = between(hero.columns.x, hero.columns.y, f, part);
        c.globalAlpha = 1 - p;
        if (Math.hypot(hx - cast.x, hy - cast.y) > 1) {
          c.beginPath(); c.moveTo(X(hx), Y(hy)); c.lineTo(x, y);
          c.strokeStyle = colour; c.lineWidth = 2.5; c.setLineDash([6, 5]); c.stroke(); c.setLineDash([]);
        }
        c.beginPath(); c.arc(x, y, r * (.35 + .65 * ease), 0, 7);
        c.fillStyle = colour + '38'; c.fill(); c.strokeStyle = colour; c.lineWidth = 3; c.stroke();
        c.beginPath(); c.arc(x, y, r * ease * .7, 0, 7); c.lineWidth = 1.2; c.stroke();
        const name = (hero.abilities || [])[cast.ability];
        if (wide && name && p < .8) {
          c.font = font(Math.max(11, unit * .95), 600); c.textAlign = 'center'; c.textBaseline = 'middle';
          c.lineWidth = 3; c.strokeStyle = '#0b0f14'; c.strokeText(name, x, y - r * .5 - 14 * ease);
          c.fillStyle = colour; c.fillText(name, x, y - r * .5 - 14 * ease);
        }
        c.globalAlpha = 1;
      }
      if (part > 0 || !playing)
        for (const hit of hitsAt[f + (part > 0 ? 1 : 0)]) {
          const p = part > 0 ? part : .8, q = Math.max(0, p - .3);
          c.beginPath(); c.moveTo(X(hit.x + hit.dx * q), Y(hit.y + hit.dy * q)); c.lineTo(X(hit.x + hit.dx * p), Y(hit.y + hit.dy * p));
          c.strokeStyle = colourOf(hit.team); c.globalAlpha = .85; c.lineWidth = Math.max(1.2, .16 * unit); c.stroke();
        }
      c.globalAlpha = 1;
      const R = clamp(1.35 * unit, 7.5, 26);
      for (const hero of heroes) if (shows(hero, f)) drawHero(c, hero, f, part, X, Y, R, wide);
      for (let i = from(kills, f - 3); i < kills.length && kills[i].frame <= f + 1; ++i) {
        const age = position - kills[i].frame + 1, victim = bySeat.get(kills[i].victim);
        if (age < .6 || age > 4 || !victim) continue;
        const g = Math.max(0, kills[i].frame - 1), x = X(victim.columns.x[g] / scale), y = Y(victim.columns.y[g] / scale);
        c.globalAlpha = 1 - age / 4; c.strokeStyle = '#ff5d5d'; c.lineWidth = 3;
        c.beginPath(); c.moveTo(x - R, y - R); c.lineTo(x + R, y + R); c.moveTo(x + R, y - R); c.lineTo(x - R, y + R); c.stroke();
        c.globalAlpha = 1;
      }
    }

    // The panels, made once and updated when the frame changes.
    const itemName = item => String((stage.items || [])[item] ?? 'Item ' + item);
    const initials = name => {
      const words = String(name).trim().split(/\s+/);
      return words.length > 1 ? (words[0][0] + words[1][0]).toUpperCase() : words[0].slice(0, 2);
    };
    const cards = heroes.map((hero, i) => {
      const icon = element('canvas', {className: 'icon', width: 72, height: 72});
      const c = icon.getContext('2d');
      c.beginPath(); c.arc(36, 36, 32, 0, 7); c.fillStyle = '#0d1117'; c.fill();
      c.lineWidth = 5; c.strokeStyle = colourOf(hero.team); c.stroke();
      c.fillStyle = c.strokeStyle = roles[hero.role] || '#cfd6e0';
      glyph(c, hero.role, 36, 36, 19, hero.name);
      const parts = {fill: element('i'), hp: element('span', {className: 'number'}), kd: element('span', {className: 'kd number'}),
        gold: element('span', {className: 'gold number'}), level: element('span', {className: 'level number'}),
        kit: element('div', {className: 'kit'})};
      const cools = [0, 1, 2].map(k => {
        const fill = element('i');
        const name = String((hero.abilities || [])[k] ?? 'Ability ' + (k + 1));
        parts.kit.append(element('span', {className: 'chip', title: name}, initials(name), fill));
        return fill;
      });
      const items = element('span', {style: 'display: contents'});
      parts.kit.append(items);
      const card = element('button', {className: 'card', title: seatName(hero.seat ?? i),
        onclick: () => { chosen = chosen === i ? -1 : i; refresh(true); }},
        icon, element('span', {className: 'name'}, hero.name), parts.kd, parts.level, parts.gold,
        element('div', {className: 'bar'}, parts.fill, parts.hp), parts.kit);
      card.style.setProperty('--team', colourOf(hero.team));
      $(hero.team === 0 ? 'side0' : 'side1').append(card);
      return {card, cools, items, shown: '', ...parts};
    });

    const scoreParts = [0, 1].map(() => element('b'));
    const time = element('span', {className: 'clock'});
    [0, 1].forEach(team => scoreParts[team].style.color = colourOf(team));
    const label = team => element('span', {className: 'name', title: who(team)}, teamName(team));
    $('score').append(label(0), scoreParts[0], time, scoreParts[1], label(1));

    function refresh(all) {
      const f = frameAt();
      heroes.forEach((hero, i) => {
        const v = hero.columns, card = cards[i], up = alive(hero, f), known = shows(hero, f) || fog < 0 || hero.team === fog;
        card.card.classList.toggle('dead', !up);
        if (all) card.card.setAttribute('aria-pressed', chosen === i);
        card.kd.textContent = v.kills[f] + ' / ' + v.deaths[f];
        card.level.textContent = 'lv ' + v.level[f] + (hero.role ? ' ' + hero.role : '');
        card.gold.textContent = known ? short(v.gold[f]) + ' g' : '';
        card.fill.style.width = (up && known ? 100 * clamp(v.hp[f] / Math.max(1, v.max[f]), 0, 1) : 0) + '%';
        card.hp.textContent = !up ? 'back in ' + Math.ceil(v.respawn[f] / 10) + ' s' : known ? v.hp[f] + ' / ' + v.max[f] : 'not seen';
        card.cools.forEach((fill, k) => fill.style.height = (known ? clamp(v['c' + k][f], 0, 100) : 0) + '%');
        let items = [];
        for (const [frame, now] of hero.items) if (frame <= f) items = now;
        const key = items.join();
        if (key !== card.shown) {
          card.shown = key;
          card.items.replaceChildren(...items.map(item => element('span', {className: 'chip item', title: itemName(item)},
            stage.items ? initials(itemName(item)) : String(item))));
        }
      });
      [0, 1].forEach(team => scoreParts[team].textContent = score[team][f] || 0);
      time.textContent = clock(seconds[f]);
      const feed = [];
      const since = f - Math.ceil(6 / stepSeconds);
      for (let i = from(kills, since); i < kills.length && kills[i].frame <= f; ++i) {
        const killer = bySeat.get(kills[i].killer), victim = bySeat.get(kills[i].victim);
        if (!victim) continue;
        const name = (hero, other) => {
          const span = element('b', {}, hero ? hero.name : 'The ' + teamName(1 - other.team) + ' side');
          span.style.color = colourOf(hero ? hero.team : 1 - other.team);
          return span;
        };
        feed.push(element('div', {}, name(killer, victim), ' killed ', name(victim)));
      }
      for (const fall of falls)
        if (fall.frame >= since && fall.frame <= f) {
          const span = element('b', {}, teamName(fall.building.team));
          span.style.color = colourOf(fall.building.team);
          feed.push(element('div', {}, span, ' loses a ' + fall.building.kind));
        }
      $('feed').replaceChildren(...feed.slice(-5));
    }

    const difference = gold[0].map((g, i) => g - gold[1][i]);
    return {draw, refresh, time: f => seconds[f], endless: false,
      area: difference.some(d => d !== 0) ? {values: difference, text: d => 'gold ' + (d === 0 ? 'even'
        : '+' + short(Math.abs(d)) + ' ' + teamName(d > 0 ? 0 : 1)), team: d => d > 0 ? 0 : 1} : null,
      marks: [...kills.map(k => ({frame: k.frame, kind: 'kill', team: bySeat.get(k.victim) ? 1 - bySeat.get(k.victim).team : 0})),
        ...falls.map(k => ({frame: k.frame, kind: 'building', team: 1 - k.building.team}))],
      fogs: [0, 1].map(teamName),
      test: {visible: () => heroes.map((hero, i) => shows(hero, frameAt()) ? i : -1).filter(i => i >= 0),
        creeps: () => creepsAt[frameAt()].filter(creep => creepShows(creep, frameAt())).length,
        hero: (i, name) => heroes[i].columns[name][frameAt()],
        place: i => between(heroes[i].columns.x, heroes[i].columns.y, frameAt(), clamp(position - frameAt(), 0, 1))}};
  }

  // ---- a board ----
  function makeBoard() {
    const frames = series(data.film.frames), texts = data.film.texts;
    // The rows of single characters with spaces between, at most framed by bars; the other lines stay text.
    const parse = text => {
      const lines = text.split('\n'), runs = [];
      lines.forEach((line, i) => {
        const cells = line.replace(/^\s*\|/, '').replace(/\|\s*$/, '').trim().split(/\s+/);
        if (cells.length < 2 || !cells.every(cell => [...cell].length === 1)) return;
        const run = runs[runs.length - 1];
        if (run && run.end === i && run.rows[0].length === cells.length) { run.rows.push(cells); ++run.end; }
        else runs.push({start: i, end: i + 1, rows: [cells]});
      });
      const best = runs.filter(run => run.rows.length > 1).sort((a, b) => b.rows.length - a.rows.length)[0];
      if (!best) return {rows: null, rest: text.trimEnd()};
      // A line of labels under it, after at most a rule, belongs to the board.
      const below = runs.find(run => run !== best && run.rows[0].length === best.rows[0].length && run.start >= best.end && run.start <= best.end + 1);
      const rest = lines.filter((line, i) => !(i >= best.start && i < best.end) && !(below && i >= below.start && i < below.end) &&
        !/^\s*[+|=-]+\s*$/.test(line));
      return {rows: best.rows, labels: below ? below.rows[0] : null, rest: rest.join('\n').trim()};
    };
    const positions = texts.map(parse);
    const grid = positions.length > 0 && positions.every(p => p.rows && p.rows.length === positions[0].rows.length &&
      p.rows[0].length === positions[0].rows[0].length);
    document.body.classList.add('board');
    if (!grid) document.body.classList.add('words');
    const text = element('pre', {id: 'text'});
    $('view').append(text);
    const isEmpty = cell => '.-_·'.includes(cell);
    const seatOf = cell => ({X: 0, x: 0, O: 1, o: 1})[cell];
    const discs = grid && positions[0].rows.length * positions[0].rows[0].length >= 16;

    function draw() {
      if (!grid) return;
      const {c, width, height} = fit($('map'));
      if (!width || !height) return;
      c.clearRect(0, 0, width, height);
      const f = frameAt(), part = f < last ? clamp(position - f, 0, 1) : 0;
      const now = positions[frames[f]], before = f > 0 ? positions[frames[f - 1]] : now;
      const rows = now.rows.length, columns = now.rows[0].length;
      const margin = Math.min(28, width * .04), label = now.labels ? 26 : 0;
      const cell = Math.min((width - 2 * margin) / columns, (height - 2 * margin - label) / rows, 150);
      const x0 = (width - cell * columns) / 2, y0 = (height - label - cell * rows) / 2;
      c.fillStyle = discs ? '#1d3557' : '#1a222d';
      c.beginPath(); c.roundRect(x0 - cell * .1, y0 - cell * .1, cell * (columns + .2), cell * (rows + .2), cell * .18); c.fill();
      c.textAlign = 'center'; c.textBaseline = 'middle';
      for (let row = 0; row < rows; ++row)
        for (let column = 0; column < columns; ++column) {
          const what = now.rows[row][column], x = x0 + (column + .5) * cell, y = y0 + (row + .5) * cell;
          const fresh = f > 0 && before.rows[row][column] !== what;
          const grow = fresh && playing ? Math.min(1, .35 + part * 3) : 1;
          if (discs) { c.beginPath(); c.arc(x, y, cell * .41, 0, 7); c.fillStyle = '#0d1728'; c.fill(); }
          else { c.beginPath(); c.roundRect(x - cell * .46, y - cell * .46, cell * .92, cell * .92, cell * .08); c.fillStyle = '#232d3a'; c.fill(); }
          if (isEmpty(what)) continue;
          const seat = seatOf(what), colour = seat === undefined ? '#dbe2ec' : colourOf(seat);
          if (seat !== undefined && discs) {
            c.beginPath(); c.arc(x, y, cell * .41 * grow, 0, 7); c.fillStyle = colour; c.fill();
            c.beginPath(); c.arc(x, y, cell * .28 * grow, 0, 7); c.strokeStyle = '#0003'; c.lineWidth = cell * .06; c.stroke();
          } else if (seat !== undefined) {
            c.strokeStyle = colour; c.lineWidth = cell * .11; c.lineCap = 'round';
            const r = cell * .26 * grow;
            c.beginPath();
            if (seat === 0) { c.moveTo(x - r, y - r); c.lineTo(x + r, y + r); c.moveTo(x + r, y - r); c.lineTo(x - r, y + r); }
            else c.arc(x, y, r * 1.08, 0, 7);
            c.stroke();
          } else {
            c.fillStyle = colour; c.font = font(cell * .52, 600); c.fillText(what, x, y + cell * .03);
          }
          if (fresh) { c.strokeStyle = '#ffffffd0'; c.lineWidth = Math.max(2, cell * .035); c.beginPath();
            if (discs) c.arc(x, y, cell * .43, 0, 7); else c.roundRect(x - cell * .46, y - cell * .46, cell * .92, cell * .92, cell * .08);
            c.stroke(); }
        }
      c.fillStyle = '#8d98a9'; c.font = font(14);
      (now.labels || []).forEach((name, column) => c.fillText(name, x0 + (column + .5) * cell, y0 + rows * cell + cell * .1 + 16));
    }

    const list = element('ol', {id: 'moves', className: 'number'});
    const bySteps = new Map();
    for (const [step, seat, move] of data.moves) {
      const dot = element('span', {className: 'who'});
      dot.style.background = colourOf(data.teams[seat]);
      const item = element('li', {onclick: () => seek(step + 1), title: seatName(seat)}, element('span', {className: 'n'}, step + 1 + '.'),
        dot, element('span', {}, move));
      if (!bySteps.has(step)) bySteps.set(step, []);
      bySteps.get(step).push(item);
      list.append(item);
    }
    $('side1').setAttribute('aria-label', 'Moves');
    $('side1').append(list);
    const step = element('span', {className: 'clock'});
    const label = team => {
      const span = element('span', {className: 'name'}, teamName(team));
      span.style.color = colourOf(team);
      return span;
    };
    if (teamCount === 2) $('score').append(label(0), step, label(1)); else $('score').append(step);

    let current = [];
    function refresh() {
      const f = frameAt();
      step.textContent = f + ' / ' + last;
      for (const item of current) item.removeAttribute('aria-current');
      current = bySteps.get(f - 1) || [];
      for (const item of current) item.setAttribute('aria-current', 'true');
      if (current.length) {
        const top = current[0].offsetTop - list.offsetTop, box = $('side1');
        if (top < box.scrollTop || top > box.scrollTop + box.clientHeight - 60) box.scrollTop = top - box.clientHeight / 2;
      }
      const now = positions[frames[f]], before = f > 0 ? positions[frames[f - 1]] : now;
      const words = now.rest.split(/(\s+)/), old = before.rest.split(/(\s+)/);
      text.replaceChildren(...words.map((word, i) => f > 0 && !grid && word.trim() && word !== old[i] ? element('mark', {}, word) : word));
      text.hidden = now.rest === '';
    }
    return {draw, refresh, time: f => f * (data.step_seconds > 0 ? data.step_seconds : 1), area: null,
      marks: data.moves.length < 400 ? data.moves.map(([s, seat]) => ({frame: s + 1, kind: 'move', team: data.teams[seat]})) : [],
      fogs: null, test: {grid, rows: () => grid ? positions[frames[frameAt()]].rows : null, text: () => texts[frames[frameAt()]]}};
  }

  const show = arena ? makeArena() : makeBoard();

  // ---- the timeline ----
  const timeline = $('timeline');
  timeline.setAttribute('aria-valuemax', last);
  const lineScale = (() => {
    if (isWin) return v => v;
    const all = curves.flat().filter(v => v !== null);
    const low = Math.min(0, ...all), high = Math.max(0, ...all);
    return v => high > low ? (v - low) / (high - low) : .5;
  })();
  function drawTimeline() {
    const {c, width, height} = fit(timeline);
    if (!width) return;
    const top = 12, bottom = height - 12, middle = (top + bottom) / 2;
    const X = f => last > 0 ? 2 + f / last * (width - 4) : 2;
    c.fillStyle = '#0b0f15';
    c.fillRect(0, 0, width, height);
    const most = show.area ? Math.max(1, ...show.area.values.map(Math.abs)) : 1;
    if (show.area)
      for (const team of [0, 1]) {
        c.beginPath(); c.moveTo(X(0), middle);
        show.area.values.forEach((d, f) => c.lineTo(X(f), middle - Math.max(0, team ? -d : d) * (team ? -1 : 1) / most * (bottom - top) / 2));
        c.lineTo(X(last), middle);
        c.fillStyle = colourOf(team) + '55'; c.fill();
      }
    c.strokeStyle = '#3a4556'; c.lineWidth = 1; c.setLineDash([3, 4]);
    c.beginPath(); c.moveTo(0, middle + .5); c.lineTo(width, middle + .5); c.stroke(); c.setLineDash([]);
    curves.forEach((curve, i) => {
      c.beginPath();
      let pen = false;
      curve.forEach((v, f) => {
        if (v === null) return;
        const y = bottom - lineScale(v) * (bottom - top);
        if (pen) c.lineTo(X(f), y); else c.moveTo(X(f), y);
        pen = true;
      });
      c.strokeStyle = curves.length > 1 ? colourOf(i) : '#f0e6c8'; c.lineWidth = 1.8; c.lineJoin = 'round'; c.stroke();
    });
    for (const mark of show.marks) {
      const x = X(mark.frame), y = mark.team === 0 ? 6 : height - 6;
      c.fillStyle = colourOf(mark.team);
      if (mark.kind === 'kill') { c.beginPath(); c.arc(x, y, 3, 0, 7); c.fill(); }
      else if (mark.kind === 'building') { c.fillRect(x - 4.5, y - 4.5, 9, 9); c.fillStyle = '#0b0f15'; c.fillRect(x - 2, y - 2, 4, 4); }
      else if (teamCount <= 2) c.fillRect(x - 1, y - 3, 2, 6);
    }
    const x = X(position);
    c.fillStyle = '#ffffff14'; c.fillRect(0, 0, x, height);
    c.fillStyle = '#fff'; c.fillRect(x - 1, 0, 2, height);
    polygon(c, x, 4, 5, 3, Math.PI / 2); c.fill();
  }
  function legend() {
    const f = frameAt(), parts = [];
    const time = data.step_seconds > 0 || arena ? clock(show.time(f)) + ' / ' + clock(show.time(last)) : 'step ' + f + ' of ' + last;
    parts.push(element('span', {className: 'dim'}, time));
    if (show.area) {
      const d = show.area.values[f], span = element('span', {}, show.area.text(d));
      if (d !== 0) span.style.color = colourOf(show.area.team(d));
      parts.push(span);
    }
    curves.forEach((curve, i) => {
      const v = curve[f];
      if (v === null || v === undefined) return;
      const text = isWin ? 'win estimate ' + Math.round(100 * Math.max(v, 1 - v)) + '% ' + teamName(v >= .5 ? 0 : 1)
        : 'expected ' + (curves.length > 1 ? teamName(i) + ' ' : '') + v.toFixed(2);
      const span = element('span', {}, text);
      span.style.color = curves.length > 1 ? colourOf(i) : '#f0e6c8';
      parts.push(span);
    });
    $('legend').replaceChildren(...parts);
  }

  // ---- the outcome ----
  const outcome = (() => {
    if (data.status === 'running') return 'the recording ends here';
    const results = data.results.length ? data.results : null;
    const returns = data.returns.map(r => r.toFixed(2).replace(/\.?0+$/, '')).join(', ');
    if (data.status === 'truncated') return 'cut short';
    if (!results || teamCount === 1) return (data.seats > 1 ? 'returns ' : 'return ') + returns;
    const best = Math.max(...results), winners = results.map((r, team) => r === best ? team : -1).filter(team => team >= 0);
    return winners.length === 1 ? teamName(winners[0]) + ' wins' : winners.length === results.length ? 'a draw'
      : winners.map(teamName).join(' and ') + ' lead';
  })();

  // ---- controls ----
  const icon = path => '<svg viewBox="0 0 16 16"><path d="' + path + '"/></svg>';
  let shownFrame = -1;
  function seek(to) {
    position = clamp(to, 0, last);
    dirty = true;
  }
  function setPlaying(on) {
    if (on && position >= last) position = 0;
    playing = on && last > 0;
    $('play').innerHTML = playing ? icon('M3 2h4v12H3zM9 2h4v12H9z') : icon('M3 1l11 7-11 7z');
    $('play').setAttribute('aria-label', playing ? 'Pause' : 'Play');
    dirty = true;
  }
  function setSpeed(to) {
    speed = to;
    $('speed').textContent = String(speed) + 'x';
  }
  const changeSpeed = by => setSpeed(speeds[clamp(speeds.indexOf(speed) + by, arena ? 1 : 0, speeds.length - 1)]);
  function setFog(team) {
    fog = team;
    [...$('fog').children].forEach((button, i) => button.setAttribute('aria-pressed', i - 1 === fog));
    shownFrame = -1;
    dirty = true;
  }
  const stepBy = by => { setPlaying(false); seek(by > 0 ? Math.floor(position + 1e-6) + by : Math.ceil(position - 1e-6) + by); };
  $('play').onclick = () => setPlaying(!playing);
  $('start').onclick = () => seek(0);
  $('back').onclick = () => stepBy(-1);
  $('next').onclick = () => stepBy(1);
  $('slower').onclick = () => changeSpeed(-1);
  $('faster').onclick = () => changeSpeed(1);
  $('speed').onclick = () => setSpeed(1);
  if (show.fogs) {
    ['All', ...show.fogs].forEach((name, i) => $('fog').append(element('button', {onclick: () => setFog(i - 1),
      title: i ? 'What ' + name + ' sees (f)' : 'Everything (f)'}, name)));
  } else $('fog').hidden = true;
  const drag = event => {
    const box = timeline.getBoundingClientRect();
    seek((event.clientX - box.left - 2) / Math.max(1, box.width - 4) * last);
  };
  timeline.onpointerdown = event => { timeline.setPointerCapture(event.pointerId); drag(event); };
  timeline.onpointermove = event => { if (event.buttons) drag(event); };
  document.onkeydown = event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const jump = event.shiftKey ? 10 : 1;
    const actions = {' ': () => setPlaying(!playing), ArrowRight: () => stepBy(jump), ArrowLeft: () => stepBy(-jump),
      Home: () => seek(0), End: () => seek(last), '+': () => changeSpeed(1), '=': () => changeSpeed(1), '-': () => changeSpeed(-1),
      f: () => show.fogs && setFog(fog === 1 ? -1 : fog + 1)};
    if (event.key === ' ' && event.target.tagName === 'BUTTON') return;
    if (actions[event.key]) { actions[event.key](); event.preventDefault(); }
  };

  // ---- time passes ----
  let before = 0;
  function tick(now) {
    const passed = Math.min(250, now - before) / 1000;
    before = now;
    if (playing) {
      position = Math.min(last, position + passed * speed / stepSeconds);
      if (position >= last) setPlaying(false);
      dirty = true;
    }
    if (dirty) {
      dirty = false;
      show.draw();
      drawTimeline();
      if (frameAt() !== shownFrame) {
        shownFrame = frameAt();
        show.refresh(true);
        legend();
        $('outcome').textContent = shownFrame === last ? outcome : '';
        document.body.classList.toggle('done', shownFrame === last);
        timeline.setAttribute('aria-valuenow', shownFrame);
      }
    }
    requestAnimationFrame(tick);
  }
  new ResizeObserver(() => dirty = true).observe(document.body);
  addEventListener('resize', () => dirty = true);
  setSpeed(1);
  setFog(-1);
  setPlaying(false);
  // A page's address may name a moment and more: #t=120&fog=0&speed=4&play=1
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (wanted.has('t')) seek(Number(wanted.get('t')) || 0);
  if (wanted.has('fog') && show.fogs) setFog(clamp(Math.round(Number(wanted.get('fog'))) || 0, -1, 1));
  if (speeds.includes(Number(wanted.get('speed')))) setSpeed(Number(wanted.get('speed')));
  if (wanted.get('play') === '1') setPlaying(true);
  requestAnimationFrame(now => { before = now; tick(now); });

  // For tests and for tools that look at the page.
  window.watch = {steps: last, seek, play: setPlaying, setSpeed, setFog, get position() { return position; },
    get playing() { return playing; }, outcome, curves, ...show.test};
})();
