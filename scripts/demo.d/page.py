def page(runs, kernel): return ""
