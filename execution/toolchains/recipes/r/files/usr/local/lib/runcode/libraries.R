# The packages beyond R's own base ones.
found <- installed.packages()
found <- found[!(found[, "Priority"] %in% "base"), c("Package", "Version"), drop = FALSE]
cat(paste0(found[, 1], " ", found[, 2], "\n"), sep = "")
