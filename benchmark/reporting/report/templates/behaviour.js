// Tables that sort and filter (DataTables), charts (Vega-Lite), and links that open their run.
"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

async function makeTablesSortable() {
  const source = document.getElementById("datatables").textContent;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { default: DataTable } = await import(url);
  URL.revokeObjectURL(url);
  for (const table of document.querySelectorAll("table.sortable")) {
    new DataTable(table, {
      paging: false,
      info: false,
      order: [],
      autoWidth: false,
      layout: { topStart: table.rows.length > 6 ? "search" : null, topEnd: null, bottomStart: null },
      language: { search: "", searchPlaceholder: "filter" },
    });
  }
}

async function drawCharts() {
  for (const chart of document.querySelectorAll(".chart")) {
    const specification = JSON.parse(chart.querySelector("script").textContent);
    const place = chart.appendChild(document.createElement("div"));
    place.className = "drawn";
    await window.vegaEmbed(place, specification, { actions: false, renderer: "svg" });
  }
}

function openWhatIsLinked() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fold = target?.closest("details");
  if (fold) {
    fold.open = true;
    target.scrollIntoView();
  }
}

function followTheme() {
  document.documentElement.classList.toggle("dark", dark.matches); // as DataTables expects
}

window.addEventListener("hashchange", openWhatIsLinked);
dark.addEventListener("change", followTheme);
followTheme();
Promise.all([makeTablesSortable(), drawCharts()]).then(() => {
  document.documentElement.dataset.ready = "yes";
  openWhatIsLinked();
});
