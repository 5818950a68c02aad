-- The tables of the demo: a plain key, a composite key, a text key.
CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4;
CREATE TABLE IF NOT EXISTS shop.users (
  id      BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  name    VARCHAR(100) NOT NULL,
  email   VARCHAR(200) NULL,
  balance DECIMAL(12,2) NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS shop.order_items (
  order_id BIGINT UNSIGNED NOT NULL,
  line_no  INT NOT NULL,
  sku      VARCHAR(40) NOT NULL,
  quantity INT NOT NULL,
  PRIMARY KEY (order_id, line_no)
);
CREATE TABLE IF NOT EXISTS shop.settings (
  name  VARCHAR(60) NOT NULL PRIMARY KEY,
  value TEXT
);
