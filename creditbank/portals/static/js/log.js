// Checks one entry of the register in the reader's own browser: the checkpoint
// and its signature, the entry's bytes, and every hash from the leaf to the
// root, from the log's public files alone (C2SP tlog-tiles, RFC 6962). Nothing
// the page says is believed but the index, the leaf hash to compare with, and
// the log's key, which a careful reader has from somewhere else.
(function () {
  "use strict";
  var box = document.getElementById("browser-check");
  if (!box || !window.crypto || !window.crypto.subtle || !window.fetch) return;
  var TILE = 256;
  var subtle = window.crypto.subtle;

  function hex(bytes) {
    return Array.from(bytes, function (b) { return b.toString(16).padStart(2, "0"); }).join("");
  }
  function base64(bytes) {
    return window.btoa(String.fromCharCode.apply(null, bytes));
  }
  function fromBase64(text) {
    return Uint8Array.from(window.atob(text), function (c) { return c.charCodeAt(0); });
  }
  function join() {
    var total = 0, at = 0, parts = Array.prototype.slice.call(arguments);
    parts.forEach(function (part) { total += part.length; });
    var all = new Uint8Array(total);
    parts.forEach(function (part) { all.set(part, at); at += part.length; });
    return all;
  }
  function same(a, b) { return hex(a) === hex(b); }
  function sha256(bytes) {
    return subtle.digest("SHA-256", bytes).then(function (d) { return new Uint8Array(d); });
  }
  function leafHash(bytes) { return sha256(join(new Uint8Array([0]), bytes)); }
  function nodeHash(left, right) { return sha256(join(new Uint8Array([1]), left, right)); }

  // -- the log's files -------------------------------------------------------------------
  function get(path) {
    return fetch("/log/" + path, { credentials: "omit", cache: "no-cache" }).then(function (answer) {
      if (!answer.ok) throw new Error(path + " " + answer.status);
      return answer.arrayBuffer();
    }).then(function (data) { return new Uint8Array(data); });
  }
  function coded(n) {
    var digits = String(n);
    while (digits.length % 3) digits = "0" + digits;
    var groups = digits.match(/.../g);
    return groups.map(function (group, i) { return i < groups.length - 1 ? "x" + group : group; }).join("/");
  }
  // Widths are those of the tree of `size`: a tile is full, or as wide as the tree has it.
  function tilePath(level, n, size) {
    var count = level === "entries" ? size : Math.floor(size / Math.pow(TILE, level));
    var width = Math.min(TILE, count - n * TILE);
    return "tile/" + level + "/" + coded(n) + (width < TILE ? ".p/" + width : "");
  }
  var tiles = {};
  function hashAt(level, number, size) {
    var n = Math.floor(number / TILE), path = tilePath(level, n, size);
    if (!tiles[path]) tiles[path] = get(path);
    return tiles[path].then(function (data) {
      var at = (number - n * TILE) * 32;
      if (data.length < at + 32) throw new Error(path);
      return data.slice(at, at + 32);
    });
  }

  // -- the tree --------------------------------------------------------------------------
  function reduce(hashes) {
    if (hashes.length === 1) return Promise.resolve(hashes[0]);
    var pairs = [];
    for (var i = 0; i < hashes.length; i += 2) pairs.push(nodeHash(hashes[i], hashes[i + 1]));
    return Promise.all(pairs).then(reduce);
  }
  function complete(height, number, size) {
    var level = Math.floor(height / 8), count = Math.pow(2, height % 8), wanted = [];
    for (var i = 0; i < count; i++) wanted.push(hashAt(level, number * count + i, size));
    return Promise.all(wanted).then(reduce);
  }
  function rangeRoot(start, stop, size) {
    var height = Math.floor(Math.log2(stop - start));
    while (Math.pow(2, height) > stop - start) height--;
    var width = Math.pow(2, height), left = complete(height, start / width, size);
    if (width === stop - start) return left;
    return Promise.all([left, rangeRoot(start + width, stop, size)]).then(function (both) {
      return nodeHash(both[0], both[1]);
    });
  }
  function split(count) {
    var half = 1;
    while (half * 2 < count) half *= 2;
    return half;
  }
  // The root of the leaves low .. high - 1, with our own leaf hash in its place.
  function rootWith(leaf, index, low, high, size) {
    if (high - low === 1) return Promise.resolve(leaf);
    var middle = low + split(high - low);
    var inLeft = index < middle;
    var mine = inLeft ? rootWith(leaf, index, low, middle, size) : rootWith(leaf, index, middle, high, size);
    var other = inLeft ? rangeRoot(middle, high, size) : rangeRoot(low, middle, size);
    return Promise.all([mine, other]).then(function (both) {
      return inLeft ? nodeHash(both[0], both[1]) : nodeHash(both[1], both[0]);
    });
  }

  // -- the checkpoint --------------------------------------------------------------------
  function parseKey(vkey) {
    var first = vkey.indexOf("+"), second = vkey.indexOf("+", first + 1);
    var blob = fromBase64(vkey.slice(second + 1));
    return { name: vkey.slice(0, first), id: vkey.slice(first + 1, second), type: blob[0], key: blob.slice(1) };
  }
  function parseCheckpoint(bytes, key) {
    var text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    var cut = text.lastIndexOf("\n\n");
    var body = text.slice(0, cut + 1), lines = body.split("\n");
    if (cut < 0 || lines.length !== 4 || lines[0] !== key.name || !/^(0|[1-9][0-9]{0,15})$/.test(lines[1])) {
      throw new Error("checkpoint");
    }
    var signature = null;
    text.slice(cut + 2).split("\n").forEach(function (line) {
      var parts = line.split(" ");
      if (parts[0] !== "\u2014" || parts[1] !== key.name) return;
      var blob = fromBase64(parts[2]);
      if (hex(blob.slice(0, 4)) === key.id) signature = blob.slice(4);
    });
    return { body: body, size: Number(lines[1]), root: fromBase64(lines[2]), signature: signature };
  }
  // true, false, or null when this browser cannot check Ed25519 (then nothing is claimed).
  function signedBy(key, checkpoint) {
    if (!checkpoint.signature || key.type !== 1) return Promise.resolve(false);
    return subtle.importKey("raw", key.key, { name: "Ed25519" }, false, ["verify"]).then(function (imported) {
      return subtle.verify({ name: "Ed25519" }, imported, checkpoint.signature,
        new TextEncoder().encode(checkpoint.body));
    }, function () { return null; });
  }
  function leafBytes(bundle, index) {
    var at = 0;
    for (var i = 0; i < index % TILE; i++) at += 2 + bundle[at] * 256 + bundle[at + 1];
    var length = bundle[at] * 256 + bundle[at + 1];
    var leaf = bundle.slice(at + 2, at + 2 + length);
    if (leaf.length !== length) throw new Error("bundle");
    return leaf;
  }

  // -- the page --------------------------------------------------------------------------
  var result = box.querySelector("[data-result]");
  function mark(step, ok, value) {
    var item = box.querySelector('[data-step="' + step + '"]');
    var state = item.querySelector("[data-state]");
    state.className = "state state-" + (ok === null ? "none" : ok ? "ok" : "bad");
    state.textContent = ok === null ? box.dataset.unchecked : ok ? box.dataset.valid : box.dataset.invalid;
    item.querySelector("[data-value]").textContent = value || "";
    return ok;
  }
  function run() {
    var index = Number(box.dataset.index), key = parseKey(box.dataset.vkey), seen = [];
    tiles = {};
    result.textContent = box.dataset.running;
    box.querySelector("[data-steps]").hidden = false;
    ["checkpoint", "leaf", "root"].forEach(function (step) { mark(step, null, ""); });
    return get("checkpoint").then(function (bytes) {
      var checkpoint = parseCheckpoint(bytes, key);
      if (index >= checkpoint.size) throw new Error("size");
      return signedBy(key, checkpoint).then(function (ok) {
        seen.push(mark("checkpoint", ok, checkpoint.size + " " + base64(checkpoint.root)));
        return get(tilePath("entries", Math.floor(index / TILE), checkpoint.size));
      }).then(function (bundle) {
        return leafHash(leafBytes(bundle, index));
      }).then(function (leaf) {
        seen.push(mark("leaf", hex(leaf) === box.dataset.leaf, hex(leaf)));
        return rootWith(leaf, index, 0, checkpoint.size, checkpoint.size);
      }).then(function (root) {
        seen.push(mark("root", same(root, checkpoint.root), base64(root)));
      });
    }).then(function () {
      result.textContent = seen.indexOf(false) >= 0 ? box.dataset.bad
        : seen.indexOf(null) >= 0 ? box.dataset.some : box.dataset.all;
    }, function () { result.textContent = box.dataset.failed; });
  }
  box.querySelector("[data-run]").addEventListener("click", run);
  box.hidden = false;
})();
