"use strict";
// A click on a column's head (or Enter, or Space, on it) sorts the table; a second one turns the order around.
// Cells that carry data-value sort as numbers; those of unknown value ("-") stay at the end.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    const numeric = head.classList.contains("number");
    const key = (row) => {
      const cell = row.cells[column];
      if (!numeric) return cell.textContent.trim();
      return "value" in cell.dataset ? Number(cell.dataset.value) : null;
    };
    const sort = () => {
      const before = head.getAttribute("aria-sort");
      const descending = before ? before === "ascending" : numeric; // numbers: the highest first
      const sign = descending ? -1 : 1;
      const rows = [...body.rows].sort((one, other) => {
        const a = key(one), b = key(other);
        if (a === null || b === null) return (a === null) - (b === null);
        return sign * (numeric ? a - b : a.localeCompare(b, undefined, { numeric: true }));
      });
      body.append(...rows);
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    };
    head.tabIndex = 0;
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      sort();
    });
  });
}
