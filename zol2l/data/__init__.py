"""Images and labels: data sets, folders and archives of images, decoded once."""
