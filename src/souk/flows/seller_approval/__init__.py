"""An operator decides on an application; approval opens the shop and gives its owner the role."""
