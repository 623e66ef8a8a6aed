// Small helps for the bank's pages. Every page reads, records and verifies
// without this file; it only saves steps. No text lives here: what is said to
// the reader comes from data attributes, already in the reader's language.
(function () {
  "use strict";
  document.documentElement.classList.add("js");

  // Say a sentence to screen readers and, where there is a place, on the page.
  function say(text) {
    var place = document.getElementById("live");
    if (!place || !text) return;
    place.textContent = "";
    window.setTimeout(function () { place.textContent = text; }, 50);
  }

  // Copy: <button data-copy="#id" data-copied="...">, or data-copy-text for a fixed text.
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy], [data-copy-text]");
    if (!button) return;
    var source = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
    var text = button.dataset.copyText || (source ? source.value || source.textContent : "");
    var label = button.querySelector("[data-label-text]") || button;
    var before = label.textContent;
    function copied() {
      say(button.dataset.copied);
      label.textContent = button.dataset.copied || before;
      window.setTimeout(function () { label.textContent = before; }, 2000);
    }
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(text.trim()).then(copied, function () {});
    }
  });

  // Print: <button data-print>.
  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-print]")) window.print();
  });

  // A menu of the header closes with Escape and with a click elsewhere.
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.drop[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.drop[open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  // File drop: .drop-zone holds an <input type=file>; a dropped file goes into it.
  function zoneOf(event) {
    return event.target.closest ? event.target.closest(".drop-zone") : null;
  }
  ["dragenter", "dragover"].forEach(function (kind) {
    document.addEventListener(kind, function (event) {
      var zone = zoneOf(event);
      if (!zone) return;
      event.preventDefault();
      zone.classList.add("over");
    });
  });
  document.addEventListener("dragleave", function (event) {
    var zone = zoneOf(event);
    if (zone && !zone.contains(event.relatedTarget)) zone.classList.remove("over");
  });
  document.addEventListener("drop", function (event) {
    var zone = zoneOf(event);
    if (!zone) return;
    event.preventDefault();
    zone.classList.remove("over");
    var input = zone.querySelector("input[type=file]");
    if (!input || !event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  });
  document.addEventListener("change", function (event) {
    var input = event.target;
    if (!(input instanceof HTMLInputElement) || input.type !== "file") return;
    var zone = input.closest(".drop-zone");
    var name = zone && zone.querySelector("[data-file-name]");
    if (!name) return;
    name.textContent = Array.from(input.files).map(function (file) { return file.name; }).join(", ");
    if (zone.hasAttribute("data-submit") && input.files.length) input.form.requestSubmit();
  });

  // A form is sent once while the answer is on its way; after eight seconds it may
  // be sent again, because an answer that is a download leaves the page standing.
  document.addEventListener("submit", function (event) {
    if (event.defaultPrevented) return;
    var form = event.target;
    if (form.dataset.sent === "1") { event.preventDefault(); return; }
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
    window.setTimeout(rest, 8000, form);
  });
  function rest(form) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(rest);
  });

  // The language switch keeps what has been typed: it is put aside for this one
  // change of page and given back at once. Passwords, files, hidden fields and
  // fields that ask not to be remembered are left out.
  var KEPT = "bank-kept-input";
  function fields() {
    return Array.from(document.querySelectorAll("main input, main select, main textarea"))
      .filter(function (field) {
        return field.name && !field.disabled && field.autocomplete !== "off" &&
          ["password", "file", "hidden", "submit", "button"].indexOf(field.type) < 0;
      });
  }
  document.addEventListener("submit", function (event) {
    if (!event.target.matches("[data-language-switch]")) return;
    var values = fields().map(function (field) {
      var box = field.type === "checkbox" || field.type === "radio";
      return [field.name, field.type, box ? field.value : null, box ? field.checked : field.value];
    });
    try {
      sessionStorage.setItem(KEPT, JSON.stringify({ path: location.pathname, values: values }));
    } catch (error) { /* a full or forbidden store: the page changes all the same */ }
  }, true);
  document.addEventListener("DOMContentLoaded", function () {
    var kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
      sessionStorage.removeItem(KEPT);
    } catch (error) { return; }
    if (!kept || kept.path !== location.pathname) return;
    fields().forEach(function (field, index) {
      var old = kept.values[index];
      if (!old || old[0] !== field.name || old[1] !== field.type) return;
      if (old[2] === null) field.value = old[3];
      else if (old[2] === field.value) field.checked = old[3];
    });
  });

  // A passkey ceremony that fails says so on the page instead of in the console.
  document.addEventListener("allauth.error", function (event) {
    var place = document.querySelector("[data-passkey-error]");
    if (!place) return;
    event.preventDefault();
    place.hidden = false;
    place.focus();
  });

  // What scrolls sideways can be reached and scrolled with the keyboard.
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll(".scroller:not([tabindex])").forEach(function (scroller) {
      if (scroller.scrollWidth > scroller.clientWidth) scroller.tabIndex = 0;
    });
  });

  // On a narrow screen the pages of an area are a strip: the present one, and one that
  // takes the focus, are brought into sight.
  function intoSight(link) {
    var strip = link.closest("ul");
    strip.scrollLeft = link.offsetLeft - strip.offsetLeft - (strip.clientWidth - link.offsetWidth) / 2;
  }
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll(".area [aria-current]").forEach(intoSight);
  });
  document.addEventListener("focusin", function (event) {
    var link = event.target.closest(".area a");
    if (link) intoSight(link);
  });

  // An error summary takes the focus, so that it is read first.
  document.addEventListener("DOMContentLoaded", function () {
    var summary = document.querySelector("[data-error-summary]");
    if (summary) summary.focus();
  });
})();
