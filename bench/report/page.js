"use strict";
// A line whose name or point is pointed at stands out from the others.
for (const figure of document.querySelectorAll("figure")) {
	figure.addEventListener("pointerover", e => {
		const name = e.target.closest("[data-name]")?.dataset.name;
		figure.classList.toggle("dim", name !== undefined);
		for (const s of figure.querySelectorAll(".series"))
			s.classList.toggle("lit", s.dataset.name === name);
	});
	figure.addEventListener("pointerleave", () => figure.classList.remove("dim"));
}
// The table is sorted by a click on a heading, and filtered by words.
const table = document.querySelector("table"), body = table.tBodies[0];
const value = (row, i) => row.cells[i].dataset.v ?? row.cells[i].textContent;
for (const [i, th] of [...table.tHead.rows[0].cells].entries())
	th.firstElementChild.addEventListener("click", () => {
		const up = th.getAttribute("aria-sort") !== "ascending";
		for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
		th.setAttribute("aria-sort", up ? "ascending" : "descending");
		const rows = [...body.rows].sort((a, b) => {
			const x = value(a, i), y = value(b, i), d = x - y;
			return (Number.isNaN(d) ? x.localeCompare(y) : d) * (up ? 1 : -1);
		});
		body.append(...rows);
	});
document.querySelector("input").addEventListener("input", e => {
	const words = e.target.value.toLowerCase().split(/\s+/);
	for (const row of body.rows)
		row.hidden = !words.every(w => row.textContent.toLowerCase().includes(w));
});
document.documentElement.dataset.ready = "yes";
