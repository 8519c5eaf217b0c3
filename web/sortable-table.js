/** Makes the headings of every table.sortable sort its rows: numbers by data-value, largest first; texts from A. */

for (const table of document.querySelectorAll('table.sortable')) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = heading.textContent;
    button.addEventListener('click', () => sort(table, headings, column));
    heading.replaceChildren(button);
  });
}

function sort(table, headings, column) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const numeric = rows[0]?.cells[column].dataset.value !== undefined;
  const before = headings[column].getAttribute('aria-sort');
  const ascending = before === null ? !numeric || column === 0 : before === 'descending';
  for (const heading of headings) heading.removeAttribute('aria-sort');
  headings[column].setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
  const key = (row) => {
    const cell = row.cells[column];
    return numeric ? Number(cell.dataset.value) : cell.textContent;
  };
  const order = (a, b) => (numeric ? key(a) - key(b) : key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
  body.append(...rows.sort((a, b) => (ascending ? order(a, b) : order(b, a))));
}
