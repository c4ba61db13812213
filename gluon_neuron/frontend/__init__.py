"""MXNet in and out: export a block, infer shapes and dtypes, stitch the compiled symbol, write and read files."""
