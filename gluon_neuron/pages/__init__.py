"""What is shown as HTML: a report as a page of its own, and short tables in notebooks."""
