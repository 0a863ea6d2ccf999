"""How claims are put to the test, by paper and chapter, under the names that they have in `theory`."""
