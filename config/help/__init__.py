"""Help inside the product: the guide, from the pages in docs/, and a reference of the API, from its schema."""
