"""The double random draw 双随机抽取 `ssj1`: every module here needs the standard library alone."""
