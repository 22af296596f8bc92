// Everything here makes a page quicker that works without it. Elements ask for it with data attributes:
// data-rows/-row/-href, data-select(-all), data-edit, data-jump, data-search, data-menu, data-dialog, data-drop,
// data-ago, data-copy, data-announce, data-autofocus. The server's toasts come in #toasts or as the event "toast".
(() => {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const isTyping = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

  // Announcements and toasts
  const announce = (text) => {
    const region = $("#announcer");
    if (region && text) { region.textContent = ""; requestAnimationFrame(() => { region.textContent = text; }); }
  };

  const TOAST_LIFE = { plain: 6000, undo: 16000 };
  const dismissLater = (toast) => {
    if (toast.dataset.timed || toast.classList.contains("is-error")) return;
    toast.dataset.timed = "1";
    const life = $("form", toast) ? TOAST_LIFE.undo : TOAST_LIFE.plain;
    const wait = () => setTimeout(() => {
      if (toast.matches(":hover, :focus-within")) wait(); else toast.remove();
    }, life);
    wait();
  };
  const showToast = (text, tone = "success") => {
    const template = $("#toast-template");
    const toast = template.content.firstElementChild.cloneNode(true);
    toast.classList.add(`is-${tone}`);
    $("p", toast).textContent = text;
    $("#toasts").append(toast);
    dismissLater(toast);
  };
  document.addEventListener("toast", (event) => showToast(event.detail.text, event.detail.tone));

  // Relative times: the same steps as crm.kit.templatetags.frame
  const STEPS = [[3600, 60, "min"], [86400, 3600, "h"], [30 * 86400, 86400, "d"]];
  const distance = (seconds) => {
    if (Math.abs(seconds) < 60) return "now";
    const step = STEPS.find(([limit]) => Math.abs(seconds) < limit);
    if (!step) return null;
    const amount = `${Math.floor(Math.abs(seconds) / step[1])} ${step[2]}`;
    return seconds > 0 ? `${amount} ago` : `in ${amount}`;
  };
  const freshenTimes = (root = document) => $$("time[data-ago]", root).forEach((time) => {
    const words = distance((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (words) time.textContent = words;
  });
  setInterval(freshenTimes, 60000);

  // Selecting rows
  const countSelected = (form) => {
    const boxes = $$("[data-select]", form);
    const chosen = boxes.filter((box) => box.checked).length;
    $$("[data-select-all]", form).forEach((all) => {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    });
    $$("[data-bulk-count]", form).forEach((place) => { place.textContent = chosen; });
    announce(`${chosen} selected`);
  };
  let lastBox = null;
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-select-all]")) {
      $$("[data-select]", box.form).forEach((one) => { one.checked = box.checked; });
      countSelected(box.form);
    } else if (box.matches("[data-select]")) {
      lastBox = box;
      countSelected(box.form);
    }
  });
  const selectRange = (box) => {
    const boxes = $$("[data-select]", box.form);
    const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((a, b) => a - b);
    if (from >= 0) boxes.slice(from, to + 1).forEach((one) => { one.checked = box.checked; });
  };

  // Clicks
  const openRow = (row, event) => {
    if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
    else window.location.assign(row.dataset.href);
  };
  document.addEventListener("click", (event) => {
    const target = event.target;
    if (target.matches("[data-select]") && event.shiftKey && lastBox) selectRange(target);
    const dismiss = target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest(".toast").remove();
    const copy = target.closest("[data-copy]");
    if (copy) navigator.clipboard?.writeText($(copy.dataset.copy).value).then(() => showToast("Copied."));
    const opener = target.closest("[data-dialog]");
    if (opener) { event.preventDefault(); $(opener.dataset.dialog).showModal(); }
    if (target.closest("[data-dialog-close]")) target.closest("dialog").close();
    $$("details[data-menu][open]").forEach((menu) => { if (!menu.contains(target)) menu.open = false; });
    const row = target.closest("[data-row][data-href]");
    const busy = target.closest("a, button, input, select, textarea, label, summary, form.cell-form");
    if (row && !busy && !String(window.getSelection())) openRow(row, event);
  });

  // The theme's buttons are a form of their own; the colours need not wait for its answer.
  document.addEventListener("submit", (event) => {
    const chosen = event.submitter?.dataset.theme;
    if (!chosen) return;
    document.documentElement.dataset.theme = chosen;
    $$("[data-theme][aria-pressed]").forEach((button) => button.setAttribute("aria-pressed", button.dataset.theme === chosen));
  });

  // The keyboard
  const rows = () => $$("[data-rows] [data-row]");
  const cursor = () => $("[data-row].is-cursor");
  const moveCursor = (step) => {
    const all = rows();
    if (!all.length) return;
    const now = all.indexOf(cursor());
    const next = all[Math.min(Math.max(now + step, 0), all.length - 1)];
    all.forEach((row) => row.classList.toggle("is-cursor", row === next));
    $("a, [data-select]", next)?.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const focusSearch = () => { const search = $("[data-search]"); search?.focus(); search?.select(); };
  let waitingForJump = 0;
  const jump = (letter) => $(`[data-jump="${CSS.escape(letter)}"]`)?.click();
  const KEYS = {
    j: () => moveCursor(1),
    k: () => moveCursor(-1),
    x: () => $("[data-select]", cursor() ?? document.createElement("i"))?.click(),
    e: () => $("[data-edit]", cursor() ?? document)?.click(),
    c: () => $("[data-create]")?.click(),
    "/": focusSearch,
    "?": () => $("#keys")?.showModal(),
    g: () => { waitingForJump = Date.now(); },
  };
  const closeTopmost = () => {
    const menu = $$("details[data-menu][open]").pop();
    if (menu) { menu.open = false; $("summary", menu).focus(); return; }
    const drawer = $(".drawer-toggle");
    if (drawer?.checked) { drawer.checked = false; return; }
    if (isTyping(document.activeElement)) document.activeElement.blur();
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return closeTopmost();
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") { event.preventDefault(); return focusSearch(); }
    if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target) || $("dialog[open]")) return;
    if (Date.now() - waitingForJump < 1200) { waitingForJump = 0; event.preventDefault(); return jump(event.key); }
    if (event.key === "Enter" && event.target === document.body && cursor()) return openRow(cursor(), event);
    if (KEYS[event.key]) { event.preventDefault(); KEYS[event.key](); }
  });

  // Files dropped on a field show their names
  const nameFiles = (drop) => {
    const files = [...$("input[type=file]", drop).files].map((file) => file.name);
    const place = $("[data-drop-names]", drop);
    place.textContent = files.join(", ") || place.dataset.dropNames;
  };
  document.addEventListener("change", (event) => { const drop = event.target.closest("[data-drop]"); if (drop) nameFiles(drop); });
  ["dragover", "dragleave", "drop"].forEach((kind) => document.addEventListener(kind, (event) => {
    const drop = event.target.closest?.("[data-drop]");
    if (!drop) return;
    event.preventDefault();
    drop.classList.toggle("is-over", kind === "dragover");
    if (kind === "drop") { $("input[type=file]", drop).files = event.dataTransfer.files; nameFiles(drop); }
  }));

  // htmx
  document.addEventListener("htmx:afterSettle", (event) => {
    const part = event.detail.elt;
    freshenTimes(part);
    $("[data-autofocus]", part)?.focus();
    const spoken = part.closest?.("[data-announce]") ?? $("[data-announce]", part);
    if (spoken) announce(spoken.dataset.announce);
    $$(".toast").forEach(dismissLater);
    $$("form:has([data-select])").forEach(countSelected);
  });
  document.addEventListener("htmx:responseError", (event) => {
    const xhr = event.detail.xhr;
    if ((xhr.getResponseHeader("HX-Trigger") ?? "").includes('"toast"')) return;
    showToast(`That did not work (${xhr.status}). Nothing was changed. Reference: ${xhr.getResponseHeader("X-Request-ID")}`, "error");
  });
  document.addEventListener("htmx:sendError", () => showToast("The server cannot be reached. Nothing was changed.", "error"));

  document.addEventListener("DOMContentLoaded", () => { $$(".toast").forEach(dismissLater); freshenTimes(); });
})();
