"""What several studies share: data sets, measures of trained networks, agreement with printed values, and plots."""
