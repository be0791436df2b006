"""Prints plain-text tables."""


def number(value, digits=0):
    """A number with so many decimals; a dash for none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def show(head, rows):
    """Prints it: what is no number to the left, numbers to the right."""
    def figure(cell):
        return cell == "–" or cell.replace(",", "").replace(".", "").replace("-", "").isdigit()

    widths = [max(len(str(cell)) for cell in column) for column in zip(head, *rows)]
    right = [bool(rows) and all(figure(row[i]) or not row[i] for row in rows) for i in range(len(head))]
    for line in [head, ["─" * width for width in widths], *rows]:
        cells = [cell.rjust(width) if r else cell.ljust(width) for cell, width, r in zip(line, widths, right)]
        print("  " + "  ".join(cells).rstrip())
    print()
