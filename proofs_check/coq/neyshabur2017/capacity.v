(* Path norms and the products of the norms ||W_i||_{p, inf} after node-wise rescalings (N3.a, N3.c), for real p.

   width l is the number of units of layer l, the inputs being layer 0; w l k j is the weight from unit j of layer l to unit k
   of layer l + 1. power x stands for |x|^p, of which no more is used than that it is multiplicative and not negative. All norms
   are to the power p. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums.
Import ListNotations.
Open Scope R_scope.

(* The largest of n numbers >= 0; of none, 0. *)
Fixpoint largest (f : nat -> R) (n : nat) : R :=
  match n with
  | O => 0
  | S n' => Rmax (f n') (largest f n')
  end.

Lemma largest_ge f n k : (k < n)%nat -> f k <= largest f n.
Proof.
  induction n as [|n IH]; simpl; [lia|]. intros K.
  destruct (Nat.eq_dec k n) as [->|D]; [apply Rmax_l|].
  apply Rle_trans with (largest f n); [apply IH; lia|apply Rmax_r].
Qed.

Lemma largest_le f n M : 0 <= M -> (forall k, (k < n)%nat -> f k <= M) -> largest f n <= M.
Proof.
  induction n as [|n IH]; simpl; intros HM H; [exact HM|].
  apply Rmax_lub; [apply H; lia|apply IH; [exact HM|intros k K; apply H; lia]].
Qed.

Lemma largest_nonneg f n : 0 <= largest f n.
Proof.
  induction n as [|n IH]; simpl; [lra|]. apply Rle_trans with (1 := IH). apply Rmax_r.
Qed.

Lemma largest_eq f g n : (forall k, (k < n)%nat -> f k = g k) -> largest f n = largest g n.
Proof.
  induction n as [|n IH]; simpl; intros H; [reflexivity|].
  rewrite (H n), IH; [reflexivity| |lia]. intros k K. apply H. lia.
Qed.

Lemma largest_1 f n : (0 < n)%nat -> (forall k, (k < n)%nat -> f k = 1) -> largest f n = 1.
Proof.
  intros N H. apply Rle_antisym.
  - apply largest_le; [lra|]. intros k K. rewrite H by assumption. lra.
  - rewrite <- (H 0%nat N). now apply largest_ge.
Qed.

Section Networks.
  Variable power : R -> R.
  Hypothesis power_nonneg : forall x, 0 <= power x.
  Hypothesis power_mult : forall x y, power (x * y) = power x * power y.
  Hypothesis power_1 : power 1 = 1.
  Variable width : nat -> nat.

  Implicit Types (w : nat -> nat -> nat -> R) (c : nat -> nat -> R).

  (* The paths to unit k of layer d: the units on them, from k down to an input. *)
  Fixpoint paths (d k : nat) : list (list nat) :=
    match d with
    | O => [[k]]
    | S below => flat_map (fun j => map (cons k) (paths below j)) (seq 0 (width below))
    end.

  (* The product of the weights on a path of so many layers. *)
  Fixpoint path_weight w (d : nat) (path : list nat) : R :=
    match d, path with
    | S below, k :: (j :: _) as rest => w below k j * path_weight w below rest
    | _, _ => 1
    end.

  (* The sum of |weight|^p over the paths to unit k of layer d. *)
  Definition path_norm w (d k : nat) : R := sum (fun path => power (path_weight w d path)) (paths d k).

  (* ||row k of W||_p^p of the layer from l to l + 1. *)
  Definition row_norm w (l k : nat) : R := sum (fun j => power (w l k j)) (seq 0 (width l)).

  (* The product over the first d layers of ||W||_{p, inf}^p. *)
  Fixpoint norm_product w (d : nat) : R :=
    match d with
    | O => 1
    | S below => largest (row_norm w below) (width (S below)) * norm_product w below
    end.

  (* What enters a unit is multiplied by its factor, what leaves it is divided by it. *)
  Definition rescaled w c : nat -> nat -> nat -> R := fun l k j => c (S l) k * w l k j / c l j.

  Lemma path_norm_0 w k : path_norm w 0 k = 1.
  Proof. unfold path_norm. simpl. rewrite power_1. ring. Qed.

  Lemma path_starts d k path : In path (paths d k) -> exists rest, path = k :: rest.
  Proof.
    destruct d as [|d]; simpl.
    - intros [<-|[]]. now exists [].
    - rewrite in_flat_map. intros (j & _ & H). apply in_map_iff in H as (rest & <- & _). now exists rest.
  Qed.

  Lemma path_norm_S w d k :
    path_norm w (S d) k = sum (fun j => power (w d k j) * path_norm w d j) (seq 0 (width d)).
  Proof.
    unfold path_norm at 1. simpl paths. rewrite sum_flat_map. apply sum_eq. intros j _.
    rewrite sum_map. unfold path_norm. rewrite <- sum_scal. apply sum_eq. intros path Hp.
    destruct (path_starts d j path Hp) as [rest ->].
    change (path_weight w (S d) (k :: j :: rest)) with (w d k j * path_weight w d (j :: rest)).
    apply power_mult.
  Qed.

  Lemma path_norm_nonneg w d k : 0 <= path_norm w d k.
  Proof. apply sum_nonneg. intros path _. apply power_nonneg. Qed.

  Lemma norm_product_nonneg w d : 0 <= norm_product w d.
  Proof.
    induction d as [|d IH]; simpl; [lra|]. apply Rmult_le_pos; [apply largest_nonneg|exact IH].
  Qed.

  (* A factor that enters a unit leaves it again. *)
  Lemma factors_cancel w c l k j : c l j <> 0 ->
    power (c (S l) k) * power (w l k j)
    = power (rescaled w c l k j) * power (c l j).
  Proof.
    intros H. unfold rescaled. rewrite <- !power_mult. f_equal. field. exact H.
  Qed.

  Lemma reached_below_product w c d : (forall l j, c l j <> 0) -> (forall j, c 0%nat j = 1) ->
    forall k, (k < width d)%nat -> power (c d k) * path_norm w d k <= norm_product (rescaled w c) d.
  Proof.
    intros N I. induction d as [|d IH]; intros k K.
    - rewrite I, power_1, path_norm_0. simpl. lra.
    - rewrite path_norm_S, <- sum_scal. simpl norm_product.
      apply Rle_trans with (row_norm (rescaled w c) d k * norm_product (rescaled w c) d).
      + unfold row_norm. rewrite <- sum_scal_r. apply sum_le. intros j J. apply in_seq in J.
        rewrite <- Rmult_assoc, factors_cancel by apply N. rewrite Rmult_assoc.
        apply Rmult_le_compat_l; [apply power_nonneg|]. apply IH. lia.
      + apply Rmult_le_compat_r; [apply norm_product_nonneg|]. now apply largest_ge.
  Qed.

  Theorem product_at_least_path_norm w c d :
    (forall l j, c l j <> 0) -> (forall j, c 0%nat j = 1) -> (forall k, c d k = 1) ->
    largest (path_norm w d) (width d) <= norm_product (rescaled w c) d.
  Proof.
    intros N I O. apply largest_le; [apply norm_product_nonneg|]. intros k K.
    generalize (reached_below_product w c d N I k K). rewrite O, power_1. lra.
  Qed.

  Lemma scaled_row w c l k : (forall j, c l j <> 0) ->
    (forall j, (j < width l)%nat -> power (c l j) * path_norm w l j = 1) ->
    row_norm (rescaled w c) l k = power (c (S l) k) * path_norm w (S l) k.
  Proof.
    intros N H. unfold row_norm. rewrite path_norm_S, <- sum_scal. apply sum_eq. intros j J.
    apply in_seq in J. rewrite <- Rmult_assoc, factors_cancel by apply N.
    rewrite Rmult_assoc, H by lia. ring.
  Qed.

  (* Where |c|^p is one over the path norm of each hidden unit: the factors are s^(-1/p). *)
  Theorem product_at_balance w c d : (0 < d)%nat -> (forall l, (0 < width l)%nat) ->
    (forall l j, (0 < l < d)%nat -> (j < width l)%nat -> 0 < path_norm w l j) ->
    (forall l j, (0 < l < d)%nat -> (j < width l)%nat -> power (c l j) = / path_norm w l j) ->
    (forall l j, c l j <> 0) -> (forall j, c 0%nat j = 1) -> (forall k, c d k = 1) ->
    norm_product (rescaled w c) d = largest (path_norm w d) (width d).
  Proof.
    intros D W H B N I O.
    assert (A : forall l j, (l < d)%nat -> (j < width l)%nat -> power (c l j) * path_norm w l j = 1).
    { intros l j L J. destruct l as [|l].
      - rewrite I, power_1, path_norm_0. ring.
      - rewrite B by (lia || exact J). field. apply Rgt_not_eq, H; [lia|exact J]. }
    assert (one : forall l, (l < d)%nat -> norm_product (rescaled w c) l = 1).
    { induction l as [|l IH]; intros L; [reflexivity|]. simpl. rewrite IH by lia.
      rewrite largest_1; [ring|apply W|]. intros k K.
      rewrite scaled_row; [now apply A|apply N|intros j J; apply A; [lia|exact J]]. }
    destruct d as [|d]; [lia|]. simpl norm_product. rewrite one by lia. rewrite Rmult_1_r.
    apply largest_eq. intros k K.
    rewrite scaled_row; [|apply N|intros j J; apply A; [lia|exact J]].
    rewrite O, power_1. ring.
  Qed.
End Networks.
