(* Neyshabur et al. 2017, section 2.3: the Lipschitz constant of a ReLU network in the l_inf norm. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums vectors.
Import ListNotations.
Open Scope R_scope.

Notation matrix := (nat -> nat -> R).

(* The largest of f 0, .., f (n - 1), and of 0: here of numbers that are not negative. *)
Fixpoint largest (n : nat) (f : nat -> R) : R :=
  match n with
  | O => 0
  | S k => Rmax (largest k f) (f k)
  end.

Definition max_norm (n : nat) (v : vector) : R := largest n (fun i => Rabs (v i)).

(* A layer: W, [units, what it is given], and its biases. *)
Record layer : Type := Layer { units : nat; weights : matrix; biases : vector }.

(* What a layer of n inputs puts out before its activation. *)
Definition affine (n : nat) (L : layer) (x : vector) : vector :=
  fun i => sum (fun j => weights L i j * x j) (seq 0 n) + biases L i.

Definition relu (z : R) : R := Rmax z 0.

(* The network W_d relu(W_(d-1) .. relu(W_1 x + b_1) ..) + b_d of n inputs, its last layer apart. *)
Fixpoint network (n : nat) (hidden : list layer) (output : layer) (x : vector) : vector :=
  match hidden with
  | [] => affine n output x
  | L :: rest => network (units L) rest output (fun i => relu (affine n L x i))
  end.

(* ||W||_{1,inf}, the largest l_1 norm of what comes into a unit. *)
Definition norm_1_inf (n : nat) (L : layer) : R :=
  largest (units L) (fun i => sum (fun j => Rabs (weights L i j)) (seq 0 n)).

Fixpoint norm_product (n : nat) (hidden : list layer) (output : layer) : R :=
  match hidden with
  | [] => norm_1_inf n output
  | L :: rest => norm_1_inf n L * norm_product (units L) rest output
  end.

(* The sum over all paths to a unit of a layer, each with the product of its |weights|, given the sums q to what it is given. *)
Definition paths_into (n : nat) (L : layer) (q : vector) : vector :=
  fun i => sum (fun j => Rabs (weights L i j) * q j) (seq 0 n).

(* The same to each output of a network. *)
Fixpoint paths (n : nat) (hidden : list layer) (output : layer) (q : vector) : vector :=
  match hidden with
  | [] => paths_into n output q
  | L :: rest => paths (units L) rest output (paths_into n L q)
  end.

Lemma largest_nonneg n f : 0 <= largest n f.
Proof. induction n as [|n IH]; simpl; [lra|]. eapply Rle_trans; [exact IH|apply Rmax_l]. Qed.

Lemma largest_ge n f i : (i < n)%nat -> f i <= largest n f.
Proof.
  induction n as [|n IH]; intros below; simpl; [lia|].
  destruct (Nat.eq_dec i n) as [->|differs]; [apply Rmax_r|].
  eapply Rle_trans; [apply IH; lia|apply Rmax_l].
Qed.

Lemma largest_le n f bound : 0 <= bound -> (forall i, (i < n)%nat -> f i <= bound) -> largest n f <= bound.
Proof.
  intros pos. induction n as [|n IH]; intros H; simpl; [easy|].
  apply Rmax_lub; [apply IH; intros; apply H; lia|apply H; lia].
Qed.

Lemma relu_moves_less a b : Rabs (relu a - relu b) <= Rabs (a - b).
Proof. unfold relu, Rmax. destruct (Rle_dec a 0), (Rle_dec b 0); unfold Rabs; repeat destruct Rcase_abs; lra. Qed.

(* One unit, when input j moves by at most q_j E. *)
Lemma unit_moves n L (x y q : vector) E i :
  (forall j, (j < n)%nat -> Rabs (y j - x j) <= q j * E) ->
  Rabs (affine n L y i - affine n L x i) <= paths_into n L q i * E.
Proof.
  intros H. unfold affine, paths_into.
  replace (sum (fun j => weights L i j * y j) (seq 0 n) + biases L i
    - (sum (fun j => weights L i j * x j) (seq 0 n) + biases L i))
    with (sum (fun j => weights L i j * (y j - x j)) (seq 0 n))
    by (rewrite (sum_eq _ (fun j => weights L i j * y j - weights L i j * x j)) by (intros; ring);
        rewrite sum_minus; ring).
  eapply Rle_trans; [apply sum_abs|]. rewrite <- sum_scal_r. apply sum_le. intros j Hj. apply in_seq in Hj.
  rewrite Rabs_mult, Rmult_assoc. apply Rmult_le_compat_l; [apply Rabs_pos|]. apply H. lia.
Qed.

Lemma outputs_move hidden : forall n output (x y q : vector) E,
  (forall j, (j < n)%nat -> Rabs (y j - x j) <= q j * E) ->
  forall i, (i < units output)%nat ->
    Rabs (network n hidden output y i - network n hidden output x i) <= paths n hidden output q i * E.
Proof.
  induction hidden as [|L rest IH]; intros n output x y q E H i Hi; simpl; [now apply unit_moves|].
  apply IH; [|easy]. intros j _. eapply Rle_trans; [apply relu_moves_less|]. now apply unit_moves.
Qed.

Lemma paths_nonneg hidden : forall n output q, (forall j, 0 <= q j) -> forall i, 0 <= paths n hidden output q i.
Proof.
  assert (into : forall n L q, (forall j, 0 <= q j) -> forall i, 0 <= paths_into n L q i).
  { intros n L q pos i. apply sum_nonneg. intros j _. apply Rmult_le_pos; [apply Rabs_pos|easy]. }
  induction hidden as [|L rest IH]; intros n output q pos i; simpl; [now apply into|]. apply IH. now apply into.
Qed.

Lemma max_norm_moves n (x y : vector) j :
  (j < n)%nat -> Rabs (y j - x j) <= 1 * max_norm n (fun i => y i - x i).
Proof. intros Hj. rewrite Rmult_1_l. apply (largest_ge n (fun i => Rabs (y i - x i)) j Hj). Qed.

(* N5.c: the largest path norm of one output. *)
Theorem lipschitz_by_paths_to_an_output n hidden output x y :
  max_norm (units output) (fun i => network n hidden output y i - network n hidden output x i)
  <= largest (units output) (paths n hidden output (fun _ => 1)) * max_norm n (fun i => y i - x i).
Proof.
  apply largest_le; [apply Rmult_le_pos; apply largest_nonneg|]. intros i Hi.
  eapply Rle_trans; [apply (outputs_move hidden n output x y (fun _ => 1)); [apply max_norm_moves|easy]|].
  apply Rmult_le_compat_r; [apply largest_nonneg|].
  apply (largest_ge (units output) (paths n hidden output (fun _ => 1)) i Hi).
Qed.

(* N5.a: the path norm over the paths to all outputs. *)
Theorem lipschitz_by_paths n hidden output x y :
  max_norm (units output) (fun i => network n hidden output y i - network n hidden output x i)
  <= sum (paths n hidden output (fun _ => 1)) (seq 0 (units output)) * max_norm n (fun i => y i - x i).
Proof.
  eapply Rle_trans; [apply lipschitz_by_paths_to_an_output|]. apply Rmult_le_compat_r; [apply largest_nonneg|].
  assert (pos : forall i, 0 <= paths n hidden output (fun _ => 1) i) by (apply paths_nonneg; intros; lra).
  apply largest_le; [apply sum_nonneg; auto|]. intros i Hi.
  apply (sum_ge_term (paths n hidden output (fun _ => 1))); [auto|apply in_seq; lia].
Qed.

(* A unit has at most as much on its paths as its layer's norm lets through. *)
Lemma paths_into_le n L q bound : 0 <= bound -> (forall j, (j < n)%nat -> q j <= bound) ->
  forall i, (i < units L)%nat -> paths_into n L q i <= norm_1_inf n L * bound.
Proof.
  intros pos H i Hi. unfold paths_into.
  apply Rle_trans with (sum (fun j => Rabs (weights L i j)) (seq 0 n) * bound).
  - rewrite <- sum_scal_r. apply sum_le. intros j Hj. apply in_seq in Hj.
    apply Rmult_le_compat_l; [apply Rabs_pos|]. apply H. lia.
  - apply Rmult_le_compat_r; [easy|].
    apply (largest_ge (units L) (fun i => sum (fun j => Rabs (weights L i j)) (seq 0 n)) i Hi).
Qed.

Lemma paths_le_product hidden : forall n output q bound, 0 <= bound -> (forall j, (j < n)%nat -> q j <= bound) ->
  forall i, (i < units output)%nat -> paths n hidden output q i <= norm_product n hidden output * bound.
Proof.
  induction hidden as [|L rest IH]; intros n output q bound pos H i Hi; simpl; [now apply paths_into_le|].
  replace (norm_1_inf n L * norm_product (units L) rest output * bound)
    with (norm_product (units L) rest output * (norm_1_inf n L * bound)) by ring.
  apply IH; [apply Rmult_le_pos; [apply largest_nonneg|easy]| |easy]. intros j Hj. now apply paths_into_le.
Qed.

(* N5: the product of the norms. *)
Theorem lipschitz_by_norms n hidden output x y :
  max_norm (units output) (fun i => network n hidden output y i - network n hidden output x i)
  <= norm_product n hidden output * max_norm n (fun i => y i - x i).
Proof.
  assert (pos : 0 <= norm_product n hidden output).
  { clear x y. revert n. induction hidden as [|L rest IH]; intros n; simpl; [apply largest_nonneg|].
    apply Rmult_le_pos; [apply largest_nonneg|apply IH]. }
  eapply Rle_trans; [apply lipschitz_by_paths_to_an_output|]. apply Rmult_le_compat_r; [apply largest_nonneg|].
  apply largest_le; [easy|]. intros i Hi. rewrite <- (Rmult_1_r (norm_product n hidden output)).
  apply paths_le_product; [lra|intros; lra|easy].
Qed.
