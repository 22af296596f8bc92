// Everything here makes a page quicker that works without it. Elements ask for it with data attributes:
// data-rows/-row/-href/-key/-act, data-select(-all), data-edit, data-cancel, data-entity, data-jump, data-search, data-menu,
// data-dialog, data-drop, data-paste, data-send, data-ago, data-copy, data-announce, data-autofocus,
// data-neighbours, data-card, data-column, data-mention, data-list.
// The server's toasts come in #toasts or as the event "toast", what is only to be said as the event "announce".
(() => {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const TEXTS = JSON.parse($("#texts")?.textContent || "{}");
  const fill = (text, values) => text.replace(/{(\w+)}/g, (_, name) => values[name]);
  const isTyping = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

  // Announcements and toasts
  const announce = (text) => {
    const region = $("#announcer");
    if (region && text) { region.textContent = ""; requestAnimationFrame(() => { region.textContent = text; }); }
  };

  document.addEventListener("announce", (event) => announce(event.detail.text));

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
  const distance = (seconds, isDue) => {
    const past = Math.abs(seconds);
    if (past < 60) return isDue && seconds > 0 ? TEXTS.dueNow : TEXTS.now;
    const step = TEXTS.steps.find(([limit]) => past < limit);
    if (!step) return null;
    const words = seconds < 0 ? step[3] : isDue ? step[4] : step[2];
    return fill(words, { count: Math.floor(past / step[1]) });
  };
  const freshenTimes = (root = document) => $$("time[data-ago]", root).forEach((time) => {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const isDue = "due" in time.dataset;
    const words = distance(seconds, isDue);
    if (isDue && seconds > 0) time.className = "due";
    if (words) time.textContent = words;
  });
  setInterval(freshenTimes, 60000);

  // Selecting rows
  const among = (form, selector) => [...form.elements].filter((element) => element.matches(selector));
  const countSelected = (form, aloud = true) => {
    const boxes = among(form, "[data-select]");
    const everything = among(form, "[data-everything]")[0];
    const chosen = boxes.filter((box) => box.checked).length;
    among(form, "[data-select-all]").forEach((all) => {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    });
    const said = everything?.checked ? everything.dataset.everything : chosen;
    $$("[data-bulk-count]", form).forEach((place) => { place.textContent = said; });
    if (aloud) announce(fill(TEXTS.selected, { count: said }));
  };
  let lastBox = null;
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-select-all]")) {
      among(box.form, "[data-select]").forEach((one) => { one.checked = box.checked; });
    } else if (box.matches("[data-everything]")) {
      if (box.checked) among(box.form, "[data-select]").forEach((one) => { one.checked = true; });
    } else if (box.matches("[data-select]")) {
      lastBox = box;
    } else return;
    if (!box.checked) among(box.form, "[data-everything]").forEach((all) => { all.checked = false; });
    countSelected(box.form);
  });
  const selectRange = (box) => {
    const boxes = among(box.form, "[data-select]");
    const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((a, b) => a - b);
    if (from >= 0) boxes.slice(from, to + 1).forEach((one) => { one.checked = box.checked; });
  };

  // Clicks
  const DOUBLE = 220; // milliseconds in which a second click on a cell means to edit it
  let opening = 0;
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
    if (copy) navigator.clipboard?.writeText($(copy.dataset.copy).value).then(() => showToast(TEXTS.copied));
    const opener = target.closest("[data-dialog]");
    if (opener) { event.preventDefault(); $(opener.dataset.dialog).showModal(); }
    if (target.closest("[data-dialog-close]")) target.closest("dialog").close();
    $$("details[data-menu][open]").forEach((menu) => { if (!menu.contains(target)) menu.open = false; });
    const row = target.closest("[data-row][data-href]");
    const busy = target.closest("a, button, input, select, textarea, label, summary, form.cell-form");
    clearTimeout(opening);
    if (!row || busy || String(window.getSelection())) return;
    if (event.detail < 2) opening = setTimeout(() => openRow(row, event), keyOf(target.closest("td")) ? DOUBLE : 0);
  });
  document.addEventListener("dblclick", (event) => {
    const cell = event.target.closest("[data-row] td");
    if (cell && keyOf(cell) && !$("form", cell)) { window.getSelection().empty(); editCell(cell); }
  });

  // Cells edited in place: e or a double click opens one, Enter saves, Esc leaves, Tab saves and opens the next
  const keyOf = (cell) => cell?.closest("table").tHead.rows[0].cells[cell.cellIndex]?.dataset.key;
  const cellsOf = (row) => [...(row.cells ?? [])].filter(keyOf);
  let afterSaving = null;
  const leaveCell = (form) => {
    const row = form.closest("[data-row]");
    form.remove();
    $("a", row).focus();
  };
  const editCell = (cell) => {
    $$("td > form.cell-form").forEach((form) => form.remove());
    putCursor(cell.parentElement);
    const url = `${cell.parentElement.dataset.href}/field/${keyOf(cell)}?cell=1`;
    return htmx.ajax("GET", url, { target: cell, swap: "innerHTML" }).catch(() => {});
  };
  const nextCell = (cell, step) => {
    const all = rows().flatMap(cellsOf);
    return all[all.indexOf(cell) + step];
  };
  const keysInCell = (event) => {
    const form = event.target.closest("form.cell-form");
    if (!form) return false;
    const cell = form.closest("[data-row] td");
    // Inputs save by themselves, and would do so before a completion is taken if we did it for them.
    const ours = event.target.matches("select, [type=checkbox]") || (event.target.matches("textarea") && (event.metaKey || event.ctrlKey));
    if (event.key === "Escape") cell ? leaveCell(form) : $("[data-cancel]", form).click();
    else if (event.key === "Enter" && ours) form.requestSubmit();
    else if (event.key === "Tab" && cell) { afterSaving = nextCell(cell, event.shiftKey ? -1 : 1); form.requestSubmit(); }
    else return false;
    event.preventDefault();
    return true;
  };
  document.addEventListener("click", (event) => {
    const cancel = event.target.closest("td [data-cancel]");
    if (cancel) { event.preventDefault(); leaveCell(cancel.closest("form")); }
  });
  const focusAfterSwap = (part) => {
    const field = $("form.cell-form :is(input:not([type=hidden]), select, textarea)", part);
    if (field) { afterSaving = null; field.focus(); field.select?.(); return; }
    if (part.matches(".fact")) $(".fact-edit", part)?.focus();
    if (!part.matches("[data-row] td")) return;
    if (afterSaving?.isConnected) editCell(afterSaving); else $("a", part.parentElement).focus();
    afterSaving = null;
  };

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
  const putCursor = (next) => rows().forEach((row) => row.classList.toggle("is-cursor", row === next));
  const moveCursor = (step) => {
    const all = rows();
    if (!all.length) return $(`[data-neighbours] [rel=${step > 0 ? "next" : "prev"}][href]`)?.click();
    const now = all.indexOf(cursor());
    const next = all[Math.min(Math.max(now + step, 0), all.length - 1)];
    putCursor(next);
    ($("a", next) ?? $("[data-select]", next))?.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const focusSearch = () => { const search = $("[data-search]"); search?.focus(); search?.select(); };
  let waitingForJump = 0;
  const jump = (letter) => $(`[data-jump="${CSS.escape(letter)}"]`)?.click();
  const KEYS = {
    j: () => moveCursor(1),
    k: () => moveCursor(-1),
    x: () => $("[data-select]", cursor() ?? document.createElement("i"))?.click(),
    e: () => { const cell = cursor() && cellsOf(cursor())[0]; cell ? editCell(cell) : $("[data-edit]")?.click(); },
    a: () => $("[data-act]", cursor() ?? document.createElement("i"))?.click(),
    c: () => $("[data-create]")?.click(),
    "/": focusSearch,
    "?": () => $("#keys")?.showModal(),
    g: () => { waitingForJump = Date.now(); },
  };
  const closeTopmost = () => {
    $$(".search-results").forEach((results) => results.replaceChildren());
    const menu = $$("details[data-menu][open]").pop();
    if (menu) { menu.open = false; $("summary", menu).focus(); return; }
    const drawer = $(".drawer-toggle");
    if (drawer?.checked) { drawer.checked = false; return; }
    if (isTyping(document.activeElement)) document.activeElement.blur();
  };
  document.addEventListener("keydown", (event) => {
    if (keysInMention(event) || keysInCell(event) || keysInSearch(event)) return;
    if (event.key === "Escape") return closeTopmost();
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") { event.preventDefault(); return focusSearch(); }
    if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target) || $("dialog[open]")) return;
    // Between two cells the focus is nowhere: what is typed then is meant for the next, and is no command.
    if ($(".htmx-request")) return event.preventDefault();
    if (Date.now() - waitingForJump < 1200) { waitingForJump = 0; event.preventDefault(); return jump(event.key); }
    if (event.key === "Enter" && event.target.matches("body, [data-select]")) {
      // A tick box would send the form of the bulk actions.
      const row = event.target.closest("[data-row]") ?? cursor();
      if (row) { event.preventDefault(); openRow(row, event); }
      return;
    }
    if (document.documentElement.dataset.keys === "off") return;
    if (KEYS[event.key]) { event.preventDefault(); KEYS[event.key](); }
  });

  // Results below the search: the arrows walk through them, Enter opens one
  const keysInSearch = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const form = event.target.closest("form.search");
    if (!step || !form) return false;
    const stops = [$("input[type=search]", form), ...$$(".search-results a", form)];
    const next = stops[stops.indexOf(document.activeElement) + step];
    if (next) { event.preventDefault(); next.focus(); }
    return Boolean(next);
  };

  // Results that arrive while one of them has the focus: it stays on the same record
  document.addEventListener("htmx:beforeSwap", (event) => {
    const link = document.activeElement?.closest(".search-results a");
    if (!link || !event.detail.target.matches?.(".search-results")) return;
    const href = link.getAttribute("href");
    document.addEventListener("htmx:afterSwap", () => {
      $("[data-search]").focus();  // without a focus in the form its results are hidden, and take none
      $$(".search-results a").find((each) => each.getAttribute("href") === href)?.focus();
    }, { once: true });
  });

  // Completions of a link or a time zone: a datalist that is filled while somebody types
  let typing = 0;
  const listOf = (field) => {
    if (!field.list) {
      const list = document.createElement("datalist");
      list.id = `options-${field.id}`;
      field.after(list);
      field.setAttribute("list", list.id);
    }
    return field.list;
  };
  const complete = (field) => {
    const wanted = new URLSearchParams({ entity: field.dataset.entity, q: field.value });
    // The field asks, so that nobody waits for completions of one that is saved and gone.
    htmx.ajax("GET", `/contact/options?${wanted}`, { source: field, target: listOf(field), swap: "innerHTML" }).catch(() => {});
  };
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches("[data-entity]") || event.inputType === "insertReplacementText") return;
    clearTimeout(typing);
    typing = setTimeout(() => complete(field), 150);
  });

  // Mentions: who can be meant by what stands after an @, below the text. Arrows choose, Enter or Tab takes, Esc leaves
  const MENTION = /(?<![\w@./+-])@([\p{L}\w.-]*)$/u;
  let people = null; // the list that is open
  const closePeople = () => {
    people?.field.removeAttribute("aria-activedescendant");
    people?.list.remove();
    people = null;
  };
  const choosePerson = (next) => {
    $$("[role=option]", people.list).forEach((option) => option.setAttribute("aria-selected", option === next));
    people.field.setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
  };
  const takePerson = (option) => {
    const { field, start } = people;
    field.setRangeText(`@${option.dataset.handle} `, start, field.selectionStart, "end");
    closePeople();
  };
  const showPeople = (field, found, start) => {
    closePeople();
    if (!found.length) return;
    const list = document.createElement("div");
    list.id = "people";
    list.className = "mention-list";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", TEXTS.mention);
    list.append(...found.map(({ value, textContent }, place) => {
      const option = document.createElement("div");
      Object.assign(option, { id: `person-${place}`, textContent });
      option.setAttribute("role", "option");
      option.dataset.handle = value;
      option.append(Object.assign(document.createElement("span"), { className: "muted", textContent: `@${value}` }));
      return option;
    }));
    list.addEventListener("mousedown", (event) => { event.preventDefault(); takePerson(event.target.closest("[role=option]")); });
    field.after(list);
    field.setAttribute("aria-controls", list.id);
    people = { field, list, start };
    choosePerson(list.firstElementChild);
    announce(`${found.length} ${found.length === 1 ? "person" : "people"} to mention`);
  };
  const findPeople = async (field) => {
    const before = field.value.slice(0, field.selectionStart);
    const typed = before.match(MENTION);
    if (!typed) { closePeople(); return; }
    const answer = await fetch(`/contact/options?${new URLSearchParams({ entity: "handle", q: typed[1] })}`).catch(() => null);
    const parsed = new DOMParser().parseFromString(answer?.ok ? await answer.text() : "", "text/html");
    if (field.value.slice(0, field.selectionStart) === before) showPeople(field, $$("option", parsed), typed.index);
  };
  const keysInMention = (event) => {
    if (!people || event.target !== people.field) return false;
    const chosen = $("[aria-selected=true]", people.list);
    const next = { ArrowDown: chosen.nextElementSibling, ArrowUp: chosen.previousElementSibling };
    if (event.key in next) choosePerson(next[event.key] ?? chosen);
    else if (event.key === "Enter" || event.key === "Tab") takePerson(chosen);
    else if (event.key === "Escape") closePeople();
    else return false;
    event.preventDefault();
    return true;
  };
  document.addEventListener("input", (event) => { if (event.target.matches("[data-mention]")) findPeople(event.target); });
  document.addEventListener("focusout", (event) => { if (event.target === people?.field) closePeople(); });

  // From record to record: a list leaves the order of its rows for the records that are opened from it
  const NEIGHBOURS = "neighbours";
  const keepOrder = () => {
    const table = $("table[data-start]");
    if (!table) return;
    const { start, total } = table.dataset;
    const paths = rows().map((row) => row.dataset.href);
    sessionStorage.setItem(NEIGHBOURS, JSON.stringify({ list: location.href, start: Number(start), total, paths }));
  };
  const showNeighbours = () => {
    const nav = $("[data-neighbours]");
    const { list, start, total, paths } = JSON.parse(sessionStorage.getItem(NEIGHBOURS) ?? '{"paths": []}');
    const place = paths.indexOf(location.pathname);
    if (!nav || place < 0) return;
    nav.hidden = false;
    $("span", nav).textContent = fill(TEXTS.position, { position: start + place, total });
    $$("a", nav).forEach((link) => {
      const path = paths[place + (link.rel === "next" ? 1 : -1)];
      if (path) link.href = path; else link.setAttribute("aria-disabled", "true");
    });
    $(".crumbs a").href = list;
  };

  // Cards dragged to another column of a board: the drop presses the button of the card's own form
  let dragged = null;
  const buttonFor = (column) => $(`[data-to="${CSS.escape(column.dataset.column)}"]`, dragged);
  const columnFor = (event) => {
    const column = dragged && event.target.closest?.("[data-column]");
    return column && buttonFor(column) && column; // only where a move leads
  };
  const markColumn = (chosen) => $$("[data-column]").forEach((column) => column.classList.toggle("is-over", column === chosen));
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-card]");
    dragged?.classList.add("is-dragged");
  });
  document.addEventListener("dragover", (event) => {
    const column = columnFor(event);
    if (dragged) markColumn(column);
    if (column) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    const column = columnFor(event);
    if (!column) return;
    event.preventDefault();
    buttonFor(column).click();
  });
  document.addEventListener("dragend", () => {
    dragged?.classList.remove("is-dragged");
    dragged = null;
    markColumn(null);
  });

  // Files dropped on a field show their names. A form with data-send attaches them at once: chosen, dropped or pasted
  const nameFiles = (drop) => {
    const files = [...$("input[type=file]", drop).files].map((file) => file.name);
    const place = $("[data-drop-names]", drop);
    place.textContent = files.join(", ") || place.dataset.dropNames;
  };
  const sendFiles = (drop) => {
    const form = $("form[data-send]", drop);
    const input = form && $("input[type=file]", form);
    if (!input?.files.length) return;
    if ([...input.files].some((file) => file.size > Number(form.dataset.most))) {
      showToast(form.dataset.tooLarge, "error");
      input.value = "";
      nameFiles(drop);
      return;
    }
    form.setAttribute("aria-busy", "true");
    form.requestSubmit();
  };
  const takeFiles = (drop, files) => {
    const input = $("input[type=file]", drop);
    input.files = files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const dropFor = (event) => event.target.closest?.("[data-drop]")
    ?? (event.dataTransfer?.types.includes("Files") ? $("[data-drop][data-paste]") : null);
  document.addEventListener("change", (event) => {
    const drop = event.target.matches("input[type=file]") && event.target.closest("[data-drop]");
    if (drop) { nameFiles(drop); sendFiles(drop); }
  });
  ["dragover", "dragleave", "drop"].forEach((kind) => document.addEventListener(kind, (event) => {
    const drop = dropFor(event);
    if (!drop) return;
    event.preventDefault();
    drop.classList.toggle("is-over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) takeFiles(drop, event.dataTransfer.files);
  }));
  document.addEventListener("paste", (event) => {
    const drop = $("[data-drop][data-paste]");
    const { files, types } = event.clipboardData;
    if (!drop || !files.length || types.includes("text/plain")) return; // cells of a table come as text and picture
    event.preventDefault();
    takeFiles(drop, files);
  });

  // Lists of addresses: buttons in place of numbers for the order
  const numberRows = (list) => $$("[data-list-order]", list).forEach((order, place) => { order.value = place + 1; });
  const showListTools = (root = document) => $$("[data-list]", root).forEach((list) => {
    $$("[data-list-up], [data-list-remove], [data-list-add]", list).forEach((tool) => { tool.hidden = false; });
    $$("[data-list-order]", list).forEach((order) => { order.hidden = true; });
  });
  const addListRow = (list) => {
    const last = $$("[data-list-row]", list).pop();
    const row = last.cloneNode(true);
    $$("input", row).forEach((input) => { input.value = ""; input.removeAttribute("id"); });
    last.after(row);
    $("input", row).focus();
  };
  const removeListRow = (list, row) => {
    if ($$("[data-list-row]", list).length > 1) row.remove();
    else $$("input", row).forEach((input) => { input.value = ""; });
    $("input", list).focus();
  };
  document.addEventListener("click", ({ target }) => {
    const [list, row] = [target.closest?.("[data-list]"), target.closest?.("[data-list-row]")];
    if (!list || !target.matches("button")) return;
    if (target.matches("[data-list-add]")) addListRow(list);
    if (target.matches("[data-list-up]") && row.previousElementSibling) { row.previousElementSibling.before(row); target.focus(); }
    if (target.matches("[data-list-remove]")) removeListRow(list, row);
    numberRows(list);
  });

  // htmx
  document.addEventListener("htmx:afterSettle", (event) => {
    const part = event.detail.elt;
    freshenTimes(part);
    $("[data-autofocus]", part)?.focus();
    focusAfterSwap(part);
    const spoken = part.matches("[data-announce]") ? part : $("[data-announce]", part);
    if (spoken) announce(spoken.dataset.announce);
    $$(".toast").forEach(dismissLater);
    if (part.matches("#list")) { $$("form:has(.bulk)").forEach((form) => countSelected(form, false)); keepOrder(); }
  });
  document.addEventListener("htmx:responseError", (event) => {
    const xhr = event.detail.xhr;
    if ((xhr.getResponseHeader("HX-Trigger") ?? "").includes('"toast"')) return;
    showToast(fill(TEXTS.failed, { status: xhr.status, reference: xhr.getResponseHeader("X-Request-ID") }), "error");
  });
  document.addEventListener("htmx:sendError", () => showToast(TEXTS.offline, "error"));

  document.addEventListener("DOMContentLoaded", () => {
    $$(".toast").forEach(dismissLater);
    freshenTimes();
    showListTools();
    $$("form:has(.bulk)").forEach((form) => countSelected(form, false));
    keepOrder();
    showNeighbours();
    $("main [data-autofocus]")?.focus();
  });
})();
