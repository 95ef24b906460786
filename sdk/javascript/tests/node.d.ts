// Of Node as much as the files need that are checked.
declare module "node:*";
declare const process: any;
