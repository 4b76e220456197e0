CREATE SCHEMA catalog;

-- One row. Every change of the tree sets a new version, so that each process knows that its
-- cached copy is old; changes lock the row, so that two cannot weave a loop into the tree.
CREATE TABLE catalog.tree (
    singleton boolean PRIMARY KEY CHECK (singleton),
    version uuid NOT NULL
);
INSERT INTO catalog.tree (singleton, version) VALUES (true, '00000000-0000-0000-0000-000000000000');

CREATE TABLE catalog.category (
    id uuid PRIMARY KEY,
    parent_id uuid REFERENCES catalog.category (id),
    name text NOT NULL,
    slug text NOT NULL UNIQUE,
    description text NOT NULL,
    position integer NOT NULL
);
CREATE INDEX category_by_parent ON catalog.category (parent_id, position);

CREATE TABLE catalog.attribute (
    id uuid PRIMARY KEY,
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    type text NOT NULL CHECK (
        type IN ('text', 'number', 'choice', 'multi_choice', 'boolean', 'date')
    ),
    unit text NOT NULL,
    choices text [] NOT NULL
);

CREATE TABLE catalog.category_attribute (
    category_id uuid NOT NULL REFERENCES catalog.category (id),
    attribute_id uuid NOT NULL REFERENCES catalog.attribute (id),
    required boolean NOT NULL,
    facet boolean NOT NULL,
    position integer NOT NULL,
    PRIMARY KEY (category_id, attribute_id)
);
CREATE INDEX category_attribute_by_attribute ON catalog.category_attribute (attribute_id);

CREATE TABLE catalog.species (
    id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    scientific_name text NOT NULL,
    common_names text [] NOT NULL,
    family text NOT NULL,
    plant_type text NOT NULL,
    -- Half zones: 1a is 2, 1b is 3, 13b is 27.
    zone_min smallint CHECK (zone_min BETWEEN 2 AND 27),
    zone_max smallint CHECK (zone_max BETWEEN 2 AND 27),
    care jsonb NOT NULL,
    notes text NOT NULL,
    source text NOT NULL,
    CHECK (zone_min <= zone_max),
    CHECK ((zone_min IS NULL) = (zone_max IS NULL))
);
CREATE UNIQUE INDEX species_by_name ON catalog.species (lower(scientific_name));

-- Every name by which a species is looked up, for completion by prefix.
CREATE TABLE catalog.species_name (
    name text NOT NULL COLLATE "C",
    species_id uuid NOT NULL REFERENCES catalog.species (id) ON DELETE CASCADE,
    scientific boolean NOT NULL,
    PRIMARY KEY (name, species_id)
);
CREATE INDEX species_name_by_species ON catalog.species_name (species_id);
